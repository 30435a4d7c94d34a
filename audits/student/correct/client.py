"""A client for protocol/PROTOCOL.md, the 22 steps: python3 client.py [HOST PORT] FILE"""

import hashlib
import os
import re
import socket
import sys

MAX_LINE = 1024
DEADLINE = 30  # seconds
ENTRY = re.compile(r"([0-9a-f]{32});([^/\\\x00-\x1f\x7f-\x9f]+);(0|[1-9][0-9]{0,18})")


class Failed(Exception):
    pass


class Client:
    def __init__(self, host, port):
        self.connection = socket.create_connection((host, port), timeout=DEADLINE)
        self.reader = self.connection.makefile("rb")

    def send_line(self, text):
        self.connection.sendall(text.encode() + b"\n")

    def read_line(self):
        line = self.reader.readline(MAX_LINE)
        if not line.endswith(b"\n"):
            raise Failed("the reply is too long or ends early")
        text = line[:-1].removesuffix(b"\r").decode()
        if text.startswith("ERROR "):
            raise Failed(f"the server refused: {text!a}")
        return text

    def list_files(self):
        """Every file as (id, name, size)."""
        self.send_line("LIST_FILES")
        entries = []
        line = self.read_line()
        if line == "No files available at the moment":
            if self.read_line() != "":
                raise Failed("the listing does not end")
            return entries
        while line != "" or not entries:
            entry = ENTRY.fullmatch(line)
            if not entry or entry[2] in (".", "..") or len(entry[2].encode()) > 255:
                raise Failed("this is no listing")
            entries.append(entry.groups())
            line = self.read_line()
        return entries

    def upload(self, name, data):
        """Returns the server's hash."""
        self.send_line("UPLOAD")
        print(f" 7. the server: {self.read_line()!a}")
        self.send_line(f"{name};{len(data)}")
        print(f" 9. the server: {self.read_line()!a}")
        self.connection.sendall(data)
        server_hash = self.read_line()
        if not re.fullmatch("[0-9a-f]{32}", server_hash):
            raise Failed("this is no hash")
        return server_hash

    def download(self, file_id):
        self.send_line("DOWNLOAD")
        print(f"18. the server: {self.read_line()!a}")
        self.send_line(file_id)
        size = self.read_line()
        if not re.fullmatch("0|[1-9][0-9]{0,18}", size) or int(size) > 2**63 - 1:
            raise Failed("this is no size")
        data = b""
        while len(data) < int(size):
            part = self.reader.read1(min(int(size) - len(data), 65536))
            if not part:
                raise Failed("the file ends early")
            data += part
        return data


def steps(host, port, path):
    with open(path, "rb") as file:
        data = file.read()
    name, own_hash = os.path.basename(path), hashlib.md5(data).hexdigest()

    client = Client(host, port)
    print(" 3. connected")
    print(f" 5. {len(client.list_files())} files are there")
    server_hash = client.upload(name, data)
    print(f"13. the server's hash: {server_hash}")
    if server_hash != own_hash:
        client.send_line(f"DISCARD {server_hash}")
        client.read_line()
        raise Failed(f"my hash is {own_hash}")
    print("14. Success")

    entries = client.list_files()
    print(f"16. {len(entries)} files are there")
    if not any(entry[:2] == (own_hash, name) for entry in entries):
        raise Failed("my file is not listed")
    downloaded = client.download(own_hash)
    if hashlib.md5(downloaded).hexdigest() != own_hash:
        raise Failed("the download is damaged")
    print("21. Success")
    with open("downloaded_" + name, "wb") as file:
        file.write(downloaded)
    client.connection.close()
    print("22. disconnected")


def main():
    if len(sys.argv) not in (2, 4):
        sys.exit("usage: python3 client.py [HOST PORT] FILE")
    host, port = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) == 4 else ("localhost", 9999)
    try:
        steps(host, port, sys.argv[-1])
    except (Failed, OSError, ValueError) as error:
        print("Fail:", error)
        sys.exit(1)


if __name__ == "__main__":
    main()

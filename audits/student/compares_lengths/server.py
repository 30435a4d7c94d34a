"""File transfer server: python3 server.py [HOST PORT [DIRECTORY]]"""

import hashlib
import os
import socket
import sys


def list_files(connection, files):
    if not files:
        connection.sendall(b"No files available at the moment\n")
    for file_id, name, size in files:
        connection.sendall(f"{file_id};{name};{size}\n".encode())
    connection.sendall(b"\n")


def upload(connection, reader, directory, files):
    connection.sendall(b"Please send the file name and size\n")
    name, size = reader.readline().decode().strip().split(";")
    connection.sendall(b"Ready to receive the file\n")
    data = reader.read(int(size))
    with open(os.path.join(directory, os.path.basename(name)), "wb") as file:
        file.write(data)
    file_id = hashlib.md5(data).hexdigest()
    files.append((file_id, name, size))
    connection.sendall(f"{file_id}\n".encode())


def download(connection, reader, directory, files):
    connection.sendall(b"Please send a file ID\n")
    wanted = reader.readline().decode().strip()
    for file_id, name, size in files:
        if file_id == wanted:
            with open(os.path.join(directory, os.path.basename(name)), "rb") as file:
                connection.sendall(f"{size}\n".encode() + file.read())
            return
    connection.sendall(b"ERROR not-found no file has this id\n")


def main():
    host, port = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 2 else ("localhost", 9999)
    directory = sys.argv[3] if len(sys.argv) > 3 else "server_files"
    os.makedirs(directory, exist_ok=True)
    files = []
    listener = socket.create_server((host, port))
    print(f"listening on {host}:{listener.getsockname()[1]}", flush=True)
    while True:
        connection, _ = listener.accept()
        reader = connection.makefile("rb")
        try:
            while command := reader.readline().decode().strip():
                if command == "LIST_FILES":
                    list_files(connection, files)
                elif command == "UPLOAD":
                    upload(connection, reader, directory, files)
                elif command == "DOWNLOAD":
                    download(connection, reader, directory, files)
                else:
                    connection.sendall(b"ERROR unknown-command\n")
        except (OSError, ValueError) as error:
            print("a client is gone:", error)
        reader.close()
        connection.close()


if __name__ == "__main__":
    main()

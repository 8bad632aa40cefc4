"""A client as beginners write them in C: buffers of fixed size, texts that end with NUL. It prints what a read gives, up to
the first NUL."""

import socket
import sys
import threading

BYTES = 1024
host, port, name, how = sys.argv[1:5]
server = socket.create_connection((host, int(port)))


def hear():
    while True:
        buffer = server.recv(BYTES)
        if not buffer:
            break
        print(buffer.split(b"\0")[0].decode(), flush=True)
    print("-- the end", flush=True)


def say(text):
    message = f"{name} : {text}".encode() + b"\0"
    server.sendall(message.ljust(BYTES, b"\0") if how == "padded" else message)


hearing = threading.Thread(target=hear)
hearing.start()
for line in sys.stdin:
    say(line.rstrip("\n"))
server.sendall(f"{name} :".encode() + b"\0")
server.shutdown(socket.SHUT_WR)
hearing.join()

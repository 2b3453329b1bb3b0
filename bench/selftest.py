#!/usr/bin/env python3
"""Holds the load client to its word: servers that misbehave in known ways, and what it must say of each.

Usage: selftest.py PATH-OF-LOAD. A checker that calls everything right would make every figure worthless.
"""
import json
import socket
import subprocess
import sys
import threading

SIZE, CONNECTIONS, REQUESTS = 16, 5, 200
# each connection sends one message when it opens, and two more warm it up
CHECKED = CONNECTIONS + 2 * CONNECTIONS + REQUESTS


def messages(connection):
    while True:
        data = b""
        while len(data) < SIZE:
            part = connection.recv(SIZE - len(data))
            if not part:
                return
            data += part
        yield data


def honest(connection):
    for message in messages(connection):
        connection.sendall(message.upper())


def in_pieces(connection):
    for message in messages(connection):
        for byte in message.upper():
            connection.sendall(bytes([byte]))


def lower_case(connection):
    for message in messages(connection):
        connection.sendall(message)


def one_byte_off(connection):
    for number, message in enumerate(messages(connection)):
        answer = bytearray(message.upper())
        answer[SIZE - 1] ^= number == 10
        connection.sendall(answer)


def stale(connection):
    previous = None
    for message in messages(connection):
        connection.sendall((previous or message).upper())
        previous = message


def too_long(connection):
    for number, message in enumerate(messages(connection)):
        connection.sendall(message.upper() + (b"!" if number == 10 else b""))


def hangs_up(connection):
    for number, message in enumerate(messages(connection)):
        if number == 10:
            return
        connection.sendall(message.upper())


def falls_silent(connection):
    for number, message in enumerate(messages(connection)):
        if number != 10:
            connection.sendall(message.upper())


def serve(handler, connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        try:
            handler(connection)
        except OSError:
            pass  # the client gave this one up


def accept_all(listener, handler):
    while True:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=serve, args=(handler, connection), daemon=True).start()


def judge(load, handler, options):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept_all, args=(listener, handler), daemon=True).start()
    server = "127.0.0.1:%d" % listener.getsockname()[1]
    done = subprocess.run([load, "-c", str(CONNECTIONS), "-n", str(REQUESTS), "-b", str(SIZE), "--patience", "1",
                           *options, server], stdout=subprocess.PIPE, text=True, timeout=120)
    listener.close()
    return done.returncode, json.loads(done.stdout)


def refuses(connection):
    pass


BRIEF = ("--brief", "--warmup", "0")
PACED = ("--rate", "5000")

# handler, exit status, wrong answers, errors, options
CASES = (
    (honest, 0, 0, 0),
    (honest, 0, 0, 0, *PACED),
    (honest, 0, 0, 0, *BRIEF),
    (in_pieces, 0, 0, 0),
    (in_pieces, 0, 0, 0, *BRIEF),
    (lower_case, 1, CHECKED, 0),
    (lower_case, 1, REQUESTS, 0, *BRIEF),
    (one_byte_off, 1, CONNECTIONS, 0),
    (stale, 1, CHECKED - CONNECTIONS, 0),
    (too_long, 1, CONNECTIONS, CONNECTIONS),
    (hangs_up, 1, 0, CONNECTIONS),
    (hangs_up, 1, 0, CONNECTIONS, *PACED),
    (falls_silent, 1, 0, CONNECTIONS),
    (refuses, 1, 0, REQUESTS, *BRIEF),
)


def main():
    faults = 0
    for handler, status, wrong, errors, *options in CASES:
        found_status, found = judge(sys.argv[1], handler, options)
        checked = REQUESTS if "--brief" in options else CHECKED
        expected = (status, wrong, errors)
        actual = (found_status, found["wrong"], found["errors"])
        if errors == 0 and found["checked"] != checked:
            actual += (f"checked {found['checked']} of {checked}",)
        if actual != expected:
            print(f"{handler.__name__} {' '.join(options)}: status, wrong, errors are {actual}, not {expected}",
                  file=sys.stderr)
            faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

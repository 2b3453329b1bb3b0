"""gevent_echo: the same server on gevent's own StreamServer. Usage: gevent_echo.py PORT (0: any free port)."""
import resource
import socket
import sys

from gevent.server import StreamServer


def serve(connection, _address):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := connection.recv(1024):
            connection.sendall(data.upper())
    except OSError:
        pass
    finally:
        connection.close()


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = StreamServer(("127.0.0.1", int(sys.argv[1])), serve, backlog=4096)
    server.start()
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

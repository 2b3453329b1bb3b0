"""python_server: CPython's own socketserver.ThreadingTCPServer, unmodified, with a handler that answers in upper case.

Usage: python_server.py PORT    (0: any free port). Prints `listening on 127.0.0.1:PORT`.
"""
import resource
import socketserver
import sys


class Upper(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1024):
            self.request.sendall(data.upper())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 4096


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Server(("127.0.0.1", int(sys.argv[1])), Upper) as server:
        print("listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()

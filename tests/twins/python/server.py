"""socketserver.ThreadingTCPServer with 200 client threads."""
import socket
import socketserver
import threading

from twin import report_threads

CLIENTS, ROUNDS = 200, 5
connected, answered = threading.Barrier(CLIENTS + 1), []


class Upper(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


class Server(socketserver.ThreadingTCPServer):
    request_queue_size = CLIENTS
    daemon_threads = True


def talk(address, i):
    with socket.create_connection(address) as s, s.makefile('rwb') as f:
        for n in range(ROUNDS):
            question = b'client %d says %d\n' % (i, n)
            f.write(question)
            f.flush()
            assert f.readline() == question.upper()
            if n == 0:
                connected.wait()
        answered.append(i)


with Server(('127.0.0.1', 0), Upper) as server:
    serving = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05})
    serving.start()
    clients = [threading.Thread(target=talk, args=(server.server_address, i)) for i in range(CLIENTS)]
    for t in clients:
        t.start()
    report_threads()
    connected.wait()
    for t in clients:
        t.join()
    server.shutdown()
    serving.join()
print(len(answered), 'clients had', ROUNDS, 'right answers each:', sorted(answered) == list(range(CLIENTS)))

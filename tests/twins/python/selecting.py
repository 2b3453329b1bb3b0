"""select.select, select.poll and selectors in threads; sockets with time-outs."""
import os
import select
import selectors
import socket
import threading

from twin import report_threads

ready, lines = threading.Semaphore(0), {}


def by_select(fd):
    ready.release()
    lines['select'] = [len(x) for x in select.select([fd], [], [], 30)]


def by_poll(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    ready.release()
    lines['poll'] = [event for _, event in poll.poll(30000)] == [select.POLLIN]


def by_selector(kind):
    def run(fd):
        with kind() as selector:
            selector.register(fd, selectors.EVENT_READ, 'data')
            ready.release()
            lines[kind.__name__] = [(key.data, events) for key, events in selector.select(30)]
    return run


ways = [by_select, by_poll, by_selector(selectors.SelectSelector), by_selector(selectors.PollSelector)]
pipes = [os.pipe() for _ in ways]
threads = [threading.Thread(target=way, args=(r,)) for way, (r, _) in zip(ways, pipes)]
for t in threads:
    t.start()
for t in threads:
    ready.acquire()
report_threads()
for _, w in pipes:
    os.write(w, b'x')
for t in threads:
    t.join()
for way in sorted(lines):
    print(way, lines[way])
print(select.select([], [], [], 0.02))

a, b = socket.socketpair()
waiting = threading.Thread(target=lambda: print('received', a.recv(10)))
waiting.start()
c, d = socket.socketpair()
c.settimeout(0.05)
try:
    c.recv(1)
except TimeoutError:
    print('timed out')
d.sendall(b'in time')
print(c.recv(100))
b.sendall(b'now')
waiting.join()

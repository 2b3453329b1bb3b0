"""Cases: servers that are told to read their configuration again while clients talk to them, and servers whose clients are rough: they reset, say
half of what they want, say it byte by byte, close their sending side, read in small pieces, or come by the hundred."""
import os
import signal
import socket
import struct
import time

from case import Case, compile_here, connect, get, read_all, together
from proxies import haproxy_files, squid_files, through_proxy, tinyproxy_files
from servers import PAGE, apache_files, mosquitto, nginx_files, page_file, questions, redis, unbound_files

SMALL = b"a page\n" * 1000  # what page_server answers


def told(drive, number=signal.SIGHUP):
    """Before, twice while it is told, and after; nobody may lose anything."""
    def both(place):
        def one(i):
            return os.kill(place.leaders[0], number) if i else drive(place)
        return [drive(place), together(one, 2), together(one, 2), drive(place)]
    return both


def told_between(drive):
    """What it reads anew it may refuse to serve meanwhile."""
    def both(place):
        answers = [drive(place)]
        os.kill(place.leaders[0], signal.SIGHUP)
        deadline = time.monotonic() + 20
        while len(answers) < 2:
            try:
                answers.append(drive(place))
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        return answers
    return both


def whole_pages(place):
    return together(lambda i: get(place.port, path="/page") == PAGE, 8)


def small_pages(place):
    return together(lambda i: get(place.port) == SMALL)


def rough(path="/page", whole=PAGE):
    """Those who read to the end get all, whatever the others do."""
    words = b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    def pieces(s):
        return b"".join(iter(lambda: s.recv(1000), b""))

    def one(place, i):
        with connect(place.port) as s:
            if i % 5 == 0:
                s.sendall(words)
                s.recv(1000)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return None
            if i % 5 == 1:
                s.sendall(words[:20])
                return None
            for byte in words:
                s.sendall(bytes([byte]))
            if i % 5 == 2:
                s.shutdown(socket.SHUT_WR)
            head, _, body = (pieces if i % 5 == 3 else read_all)(s).partition(b"\r\n\r\n")
            return head.split()[1], body == whole

    return lambda place: together(lambda i: one(place, i), 40)


def hundreds(place):
    """All are open before the first says anything, and all have asked before the first answer is read."""
    sockets = [connect(place.port) for _ in range(400)]
    for s in sockets:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answers = []
    for s in sockets:
        with s:
            answers.append(read_all(s).partition(b"\r\n\r\n")[2])
    return answers


def short_page(place):
    (place / "page").write_bytes(b"short\n")
    compile_here(place, "microhttpd.c", "-lmicrohttpd")


def kept(place):
    """A file written through at each change, one that a forked child writes, the first written anew; then all is read back from each."""
    def ask(*words):
        return place.client("redis-cli", "-p", place.port, *words)

    def done(*lines):
        deadline = time.monotonic() + 20
        while any(line not in ask("info", "persistence")[1] for line in lines):
            if time.monotonic() > deadline:
                raise ValueError("no end")
            time.sleep(0.02)
    answers = [ask("bgsave")[0], redis(place)]
    done(b"rdb_bgsave_in_progress:0")
    answers += [ask("bgrewriteaof")[0], redis(place)]
    done(b"aof_rewrite_in_progress:0", b"aof_rewrite_scheduled:0", b"rdb_bgsave_in_progress:0")
    for words in ["dbsize"], ["debug", "reload"], ["dbsize"], ["debug", "loadaof"], ["dbsize"], ["strlen", "b007"]:
        answers.append(ask(*words))
    return answers + [place.client("redis-check-rdb", place / "dump.rdb")[0]]


APACHE = ["apache2", "-D", "FOREGROUND", "-f"]

CASES = [
    Case("nginx", "nginx-light", "new workers under load", lambda p: ["nginx", "-c", p / "conf"], nginx_files, told(whole_pages)),
    Case("haproxy", "haproxy", "another process takes over the listening sockets under load", lambda p: ["haproxy", "-W", "-db", "-f", p / "conf"],
         haproxy_files, told(small_pages, signal.SIGUSR2)),
    Case("apache2", "apache2-bin", "the worker MPM, graceful restarts under load", lambda p: [*APACHE, p / "conf"], apache_files("mpm_worker"),
         told(whole_pages, signal.SIGUSR1)),
    Case("mosquitto", "mosquitto mosquitto-clients", "reads its configuration again", lambda p: ["mosquitto", "-p", p.port], None, told(mosquitto)),
    Case("unbound", "unbound", "reads its configuration again", lambda p: ["unbound", "-c", p / "conf", "-d"], unbound_files,
         told_between(questions)),
    Case("squid", "squid", "reads its configuration again", lambda p: ["squid", "-N", "-f", p / "conf"], squid_files, told_between(through_proxy)),
    Case("redis-server", "redis-server redis-tools", "four I/O threads, files written through and by children",
         lambda p: ["redis-server", "--port", p.port, "--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always", "--dir", p.folder,
                    "--enable-debug-command", "yes", "--io-threads", "4"], None, kept),
    Case("nginx", "nginx-light", "rough clients", lambda p: ["nginx", "-c", p / "conf"], nginx_files, rough()),
    Case("apache2", "apache2-bin", "the worker MPM, rough clients", lambda p: [*APACHE, p / "conf"], apache_files("mpm_worker"), rough()),
    Case("haproxy", "haproxy", "rough clients", lambda p: ["haproxy", "-db", "-f", p / "conf"], haproxy_files, rough("/", SMALL)),
    Case("tinyproxy", "tinyproxy-bin", "rough clients", lambda p: ["tinyproxy", "-d", "-c", p / "conf"], tinyproxy_files,
         lambda p: rough(f"http://127.0.0.1:{p.other}/", SMALL)(p)),
    Case("microhttpd.c", "libmicrohttpd-dev gcc", "rough clients", lambda p: [p / "program", p.port, p / "page"],
         lambda p: page_file(p) or compile_here(p, "microhttpd.c", "-lmicrohttpd"), rough()),
    Case("microhttpd.c", "libmicrohttpd-dev gcc", "four hundred connections", lambda p: [p / "program", p.port, p / "page"], short_page, hundreds),
]

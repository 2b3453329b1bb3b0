"""The programs of docs/compatibility.md: what each is, how it is started, and what is done to it.

A program is started with a folder of its own and ports of its own. One that ends by itself is its own load; a server has a `drive`, which talks to it
from outside and returns what it was answered, in a form that is the same for each run.
"""
import concurrent.futures
import contextlib
import dataclasses
import http.server
import pathlib
import socket
import subprocess
import threading
import typing

CLIENTS = 20


@dataclasses.dataclass
class Case:
    name: str
    package: str
    what: str
    # Of a Place: the command line.
    command: typing.Callable
    # Of a Place: files and helpers that must be there before; may yield once for what has to be ended afterwards.
    prepare: typing.Callable = None
    # Of a Place, while the program runs: what it answered. None: the program ends by itself, and its output is the answer.
    drive: typing.Callable = None
    # What it wrote into its folder belongs to the answer.
    files: bool = False


class Place:
    """A folder and two free ports."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        with socket.socket() as one, socket.socket() as two:
            for s in (one, two):
                s.bind(("127.0.0.1", 0))
            self.port, self.other = one.getsockname()[1], two.getsockname()[1]

    def __truediv__(self, name):
        return self.folder / name


# ---- Other ends -------------------------------------------------------------------------------------------------------

class Page(http.server.BaseHTTPRequestHandler):
    """Answers everything with the same page, and keeps connections."""
    protocol_version = "HTTP/1.1"
    text = b"a page\n" * 1000

    def do_GET(self):
        start, end = 0, len(self.text) - 1
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            first, _, last = wanted[6:].partition("-")
            start, end = int(first or 0), int(last or end)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(end - start + 1))
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(self.text)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.text[start:end + 1])

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


class PageServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, request, address):
        """A proxy that is ended breaks its connections."""


@contextlib.contextmanager
def page_server(place):
    server = PageServer(("127.0.0.1", place.other), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def together(one, n=CLIENTS):
    """n clients at once; what they were answered."""
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_all(s):
    return b"".join(iter(lambda: s.recv(65536), b""))


def lines_of(port, words, lines):
    """Sends the words and reads so many lines."""
    with connect(port) as s, s.makefile("rb") as answer:
        s.sendall(words)
        return b"".join(answer.readline() for _ in range(lines))


def get(port, host="x", via=""):
    with connect(port) as s:
        s.sendall(f"GET {via}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return read_all(s).partition(b"\r\n\r\n")[2]


# ---- The servers ------------------------------------------------------------------------------------------------------

def socks(place):
    """By name, so that the proxy has to look it up."""
    def one(_):
        with connect(place.port) as s:
            s.sendall(b"\5\1\0")
            hello = s.recv(2)
            s.sendall(b"\5\1\0\3\x09localhost" + place.other.to_bytes(2, "big"))
            opened = s.recv(10)[:2]
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return hello + opened + read_all(s).partition(b"\r\n\r\n")[2]
    return together(one)


def tinyproxy_files(place):
    (place / "conf").write_text(f"Port {place.port}\nListen 127.0.0.1\nTimeout 10\nMaxClients 100\n")
    return page_server(place)


def memcached(place):
    return together(lambda i: lines_of(place.port, b"set k%d 0 0 5\r\nhello\r\nget k%d\r\n" % (i, i), 4))


def redis(place):
    return together(lambda i: lines_of(place.port, b"SET k%d v\r\nGET k%d\r\nUNLINK k%d\r\n" % (i, i, i), 4))


def stunnel_files(place):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
                    "-keyout", place / "key", "-out", place / "cert"], check=True, capture_output=True)
    (place / "conf").write_text(f"foreground = yes\npid =\n[one]\naccept = 127.0.0.1:{place.port}\n"
                                f"connect = 127.0.0.1:{place.other}\ncert = {place / 'cert'}\nkey = {place / 'key'}\n")
    return page_server(place)


def over_tls(place):
    import ssl
    context = ssl._create_unverified_context()

    def one(_):
        with connect(place.port) as plain, context.wrap_socket(plain) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            with contextlib.suppress(ssl.SSLEOFError):
                return read_all(s).partition(b"\r\n\r\n")[2]
    return together(one)


def haproxy_files(place):
    (place / "conf").write_text(f"global\n  nbthread 2\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n"
                                f"  timeout server 5s\nlisten one\n  bind 127.0.0.1:{place.port}\n"
                                f"  server s 127.0.0.1:{place.other}\n")
    return page_server(place)


def unbound_files(place):
    (place / "conf").write_text(f"server:\n  interface: 127.0.0.1@{place.port}\n  num-threads: 2\n  chroot: \"\"\n  username: \"\"\n"
                                f"  use-syslog: no\n  directory: \"{place.folder}\"\n  pidfile: \"\"\n  do-daemonize: no\n"
                                f"  local-data: \"a.test. A 10.0.0.1\"\nremote-control:\n  control-enable: no\n")


def questions(place):
    """A DNS question for a.test over TCP (RFC 1035); the last four bytes of the answer are the address."""
    question = bytes.fromhex("1234010000010000000000000161047465737400" "00010001")

    def one(_):
        with connect(place.port) as s:
            s.sendall(len(question).to_bytes(2, "big") + question)
            return s.recv(512)[-4:]
    return together(one)


PYTHON = """
import socketserver
class H(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line.upper())
class S(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
S(("127.0.0.1", %d), H).serve_forever()
"""

PERL = 'use threads; my @t = map { my $n = $_; threads->create(sub { select(undef, undef, undef, 0.01 * $n); $n * $n }) } 1..8; ' \
       'print join(" ", map { $_->join } @t), "\\n";'

RUBY = 'q = Queue.new; t = 8.times.map { |n| Thread.new { sleep 0.01 * n; q << n; n * n } }; puts t.map(&:value).sum, q.size'


def echo(place):
    return together(lambda i: lines_of(place.port, b"hello %d\n" % i, 1))


# ---- Programs that end by themselves ------------------------------------------------------------------------------------

def some_text(place):
    """Four megabytes that compress, the same each time."""
    (place / "text").write_bytes(b"".join(b"%d bottles on the wall\n" % (n * n % 1000003) for n in range(180000)))


def some_files(place):
    for n in range(200):
        (place / f"f{n}").write_text(f"one\nneedle {n}\nthree\n")


def some_history(place):
    def git(*words):
        subprocess.run(["git", "-C", place.folder, "-c", "user.name=x", "-c", "user.email=x@x", *words], check=True,
                       capture_output=True)
    git("init", "-q")
    some_files(place)
    git("add", ".")
    git("commit", "-qm", "all", "--date=2000-01-01T00:00:00")


CASES = [
    Case("microsocks", "microsocks", "SOCKS proxy, a thread a connection", lambda p: ["microsocks", "-i", "127.0.0.1", "-p", str(p.port)],
         page_server, socks),
    Case("tinyproxy", "tinyproxy-bin", "HTTP proxy, a thread a connection", lambda p: ["tinyproxy", "-d", "-c", p / "conf"],
         tinyproxy_files, lambda p: together(lambda i: get(p.port, f"127.0.0.1:{p.other}", f"http://127.0.0.1:{p.other}"))),
    Case("stunnel4", "stunnel4", "TLS proxy, a thread a connection", lambda p: ["stunnel4", p / "conf"], stunnel_files, over_tls),
    Case("/usr/bin/python3", "python3", "ThreadingTCPServer, a thread a connection",
         lambda p: ["/usr/bin/python3", "-c", PYTHON % p.port], None, echo),
    Case("memcached", "memcached", "cache, four threads with an epoll each",
         lambda p: ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(p.port)], None, memcached),
    Case("redis-server", "redis-server", "data base, one thread that serves and some that tidy up",
         lambda p: ["redis-server", "--port", str(p.port), "--bind", "127.0.0.1", "--save", "", "--dir", p.folder], None, redis),
    Case("haproxy", "haproxy", "HTTP proxy, two threads with an epoll each", lambda p: ["haproxy", "-db", "-f", p / "conf"],
         haproxy_files, lambda p: together(lambda i: get(p.port))),
    Case("unbound", "unbound", "DNS server, two threads with an event loop each", lambda p: ["unbound", "-c", p / "conf", "-d"],
         unbound_files, questions),
    Case("curl", "curl", "a thread for each name", lambda p: ["curl", "-s", *[f"http://localhost:{p.other}/"] * 3], page_server),
    Case("axel", "axel", "downloader, a thread a part",
         lambda p: ["axel", "-q", "-n", "4", "-o", p / "got", f"http://127.0.0.1:{p.other}/"], page_server, files=True),
    Case("iperf", "iperf", "network test, four threads each way",
         lambda p: ["sh", "-c", f"iperf -s -p {p.port} >/dev/null 2>&1 & sleep 0.3; iperf -c 127.0.0.1 -p {p.port} -P 4 -n 1M "
                                "| grep -c 'MBytes'; kill $!"]),
    Case("pigz", "pigz", "compressor, threads that compute", lambda p: ["pigz", "-c", "-n", "-p", "4", p / "text"], some_text),
    Case("pbzip2", "pbzip2", "compressor, threads that compute", lambda p: ["pbzip2", "-c", "-k", "-p4", p / "text"], some_text),
    Case("lbzip2", "lbzip2", "compressor, threads that compute", lambda p: ["lbzip2", "-c", "-k", "-n", "4", p / "text"], some_text),
    Case("xz", "xz-utils", "compressor, threads that compute", lambda p: ["xz", "-c", "-k", "-1", "-T4", p / "text"], some_text),
    Case("zstd", "zstd", "compressor, threads that compute", lambda p: ["zstd", "-q", "-c", "-T4", p / "text"], some_text),
    Case("sysbench", "sysbench", "threads that fight for mutexes",
         lambda p: ["sysbench", "mutex", "--threads=8", "--mutex-num=16", "--mutex-locks=2000", "--mutex-loops=50", "--verbosity=0", "run"]),
    Case("git", "git", "packs with four threads", lambda p: ["git", "-C", p.folder, "-c", "pack.threads=4", "repack", "-q", "-a", "-d", "-f"],
         some_history),
    Case("rg", "ripgrep", "search, Rust's threads", lambda p: ["rg", "-j4", "--sort=none", "-c", "--no-filename", "needle", p.folder],
         some_files),
    Case("perl", "perl", "interpreter, a thread a task", lambda p: ["perl", "-e", PERL]),
    Case("ruby", "ruby", "interpreter with a lock and a timer thread", lambda p: ["ruby", "-e", RUBY]),
]

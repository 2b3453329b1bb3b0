"""What a Debian program under test is: how it is started, what is done to it, and the other ends that it needs.

A program is started with a folder of its own and ports of its own. One that ends by itself is its own load; a server has a `drive`, which talks to it
from outside and returns what it was answered, in a form that is the same for each run.
"""
import concurrent.futures
import contextlib
import dataclasses
import http.server
import os
import pathlib
import socket
import subprocess
import threading
import typing

CLIENTS = 20
HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Case:
    # The program, and the Debian packages: its own, then those of its clients and of what makes its files.
    name: str
    package: str
    what: str
    # Of a Place: the command line.
    command: typing.Callable
    # Of a Place: files and helpers that must be there before; may yield once for what has to be ended afterwards.
    prepare: typing.Callable = None
    # Of a Place, while the program runs: what it answered. None: the program ends by itself, and its output is the answer.
    drive: typing.Callable = None
    # The file `got` that it wrote into its folder belongs to the answer.
    files: bool = False
    # Of its output, what belongs to the answer: all that this finds. None: the whole.
    keep: str = None
    # OS threads of one process that it may have with the shim beside the runtime's own, and why more than one.
    threads: int = 1
    because: str = ""
    # Natively too, the status with which it ends is not the same each time.
    any_status: bool = False
    # Nobody else may start it.
    root: bool = False

    @property
    def title(self):
        return f"{os.path.basename(self.name)}: {self.what}"

    def version(self):
        """Of its own package; "" if one of the packages is not installed."""
        done = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Abbrev}\t${Package}\t${Version}\n", *self.package.split()], capture_output=True,
                              text=True, check=False)
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        if done.returncode or not all(status.startswith("ii") for status, _, _ in lines):
            return ""
        return next(version for _, name, version in lines if name == self.package.split()[0])


class Place:
    """A folder, two free ports, and the environment in which the program runs: for clients that belong to it."""

    def __init__(self, folder, environment):
        self.folder = pathlib.Path(folder)
        self.environment = environment
        # The processes that are looked at: the program, and its clients.
        self.leaders = []
        with socket.socket() as one, socket.socket() as two:
            for s in (one, two):
                s.bind(("127.0.0.1", 0))
            self.port, self.other = one.getsockname()[1], two.getsockname()[1]

    def __truediv__(self, name):
        return self.folder / name

    def client(self, *command, given=b""):
        """A program beside the one under test, with the shim or without as that one: its status and what it said."""
        with subprocess.Popen([*map(str, command)], env=self.environment, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            self.leaders.append(process.pid)
            try:
                out, error = process.communicate(given, timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return process.returncode, out + error if process.returncode else out


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


def get(port, host="x", via="", path="/"):
    with connect(port) as s:
        s.sendall(f"GET {via}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return read_all(s).partition(b"\r\n\r\n")[2]


def echo(place):
    return together(lambda i: lines_of(place.port, b"hello %d\n" % i, 1))


# ---- What they work on ----------------------------------------------------------------------------------------------------

def some_text(place):
    """Four megabytes that compress, the same each time."""
    (place / "text").write_bytes(b"".join(b"%d bottles on the wall\n" % (n * n % 1000003) for n in range(180000)))


def some_files(place, folder=None):
    for n in range(200):
        ((folder or place.folder) / f"f{n}").write_text(f"one\nneedle {n}\nthree\n")


def some_history(place, folder=None):
    """One commit, with the same name each time."""
    def git(*words):
        subprocess.run(["git", "-C", folder or place.folder, "-c", "user.name=x", "-c", "user.email=x@x", *words], check=True,
                       capture_output=True, env=dict(os.environ, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date))
    date = "2000-01-01T00:00:00Z"
    git("init", "-q")
    some_files(place, folder)
    git("add", ".")
    git("commit", "-qm", "all")


def compile_here(place, source, *flags):
    """A program of this folder's, made from its source."""
    compiler = "g++" if source.endswith(".cc") else "gcc"
    subprocess.run([compiler, "-O2", "-o", place / "program", HERE / source, "-pthread", *flags], check=True, capture_output=True)

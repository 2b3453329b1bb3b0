"""Cases: programs that end by themselves, and whose output is the answer."""
from case import Case, compile_here, page_server, some_files, some_history, some_text

PERL = 'use threads; my @t = map { my $n = $_; threads->create(sub { select(undef, undef, undef, 0.01 * $n); $n * $n }) } 1..8; ' \
       'print join(" ", map { $_->join } @t), "\\n";'

RUBY = 'q = Queue.new; t = 8.times.map { |n| Thread.new { sleep 0.01 * n; q << n; n * n } }; puts t.map(&:value).sum, q.size'

# Its pool of threads, its own event loop's, and names by its own c-ares.
NODE = """
const { Worker } = require("worker_threads"), fs = require("fs").promises, crypto = require("crypto"), dns = require("dns").promises;
const derive = n => new Promise((done, no) => crypto.pbkdf2("x", "y" + n, 2000, 16, "sha256", (e, k) => e ? no(e) : done(k.toString("hex"))));
const worker = n => new Promise((done, no) => { const w = new Worker("require('worker_threads').parentPort.postMessage(%d * %d)".replaceAll("%d", n),
    { eval: true }); w.on("message", done); w.on("error", no); });
(async () => { console.log(await Promise.all([...Array(8).keys()].map(derive))); console.log(await Promise.all([1, 2, 3].map(worker)));
    console.log((await fs.readFile("f1", "utf8")).length, (await dns.lookup("localhost", 4)).address); })();
"""

SQL = ("pragma threads=4; pragma cache_size=100; create table t(a, b); with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000) "
       "insert into t select i * 7919 % 200003, hex(i) from n; create index x on t(b, a); select count(*), sum(a), min(b), max(b) from t; "
       "pragma integrity_check;")

MAKEFILE = """
all: $(addprefix o,$(shell seq 40))
\t@cat $(sort $^) | sort -n | tr '\\n' ' '
o%:
\t@sleep 0.0$* && echo $* >$@
"""


def disk(place):
    (place / "disk").write_bytes(b"".join((b"%d" % n).ljust(65536, b"." if n % 3 else b"\0") for n in range(200)))


def makefile(place):
    (place / "Makefile").write_text(MAKEFILE)


def over_http(what):
    return lambda p: [what, f"http://127.0.0.1:{p.other}/"]


CASES = [
    Case("curl", "curl", "a thread for each name", lambda p: ["curl", "-s", *[f"http://localhost:{p.other}/"] * 3], page_server),
    Case("curl", "curl", "many transfers at once", lambda p: ["curl", "-s", "-Z", *[f"http://localhost:{p.other}/"] * 20], page_server),
    Case("wget", "wget", "downloader", lambda p: ["wget", "-q", "-O", "-", *[f"http://localhost:{p.other}/{n}" for n in range(3)]], page_server),
    Case("ab", "apache2-utils", "HTTP load, an epoll", lambda p: ["ab", "-n", "400", "-c", "20", f"http://127.0.0.1:{p.other}/"], page_server,
         keep=r"^(?:Complete requests|Failed requests|HTML transferred):.*"),
    Case("wrk", "wrk", "HTTP load, two threads with an epoll each",
         lambda p: ["wrk", "-t2", "-c20", "-d1s", f"http://127.0.0.1:{p.other}/"], page_server,
         keep=r"\d+ threads and \d+ connections|requests in|Socket errors.*|Non-2xx.*"),
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
    Case("ffmpeg", "ffmpeg", "a thread a stage, and some that encode",
         lambda p: ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=2:s=640x360", "-threads", "4", "-c:v", "mpeg4", "-bitexact", "-f", "md5", "-"]),
    Case("convert", "imagemagick", "pictures, OpenMP's threads",
         lambda p: ["convert", "-seed", "1", "-size", "600x400", "gradient:red-blue", "-blur", "0x16", "-resize", "50%", "-depth", "8", "rgb:-"],
         threads=64, because="OpenMP waits past libc: its threads are real ones"),
    Case("qemu-img", "qemu-utils", "disk images, coroutines and a pool of threads",
         lambda p: ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-m", "8", "-c", p / "disk", p / "got"], disk, files=True),
    Case("sqlite3", "sqlite3", "data base, threads that sort", lambda p: ["sqlite3", p / "db", SQL]),
    Case("sysbench", "sysbench", "threads that fight for mutexes",
         lambda p: ["sysbench", "mutex", "--threads=8", "--mutex-num=16", "--mutex-locks=2000", "--mutex-loops=50", "--verbosity=0", "run"]),
    Case("git", "git", "packs with four threads", lambda p: ["git", "-C", p.folder, "-c", "pack.threads=4", "repack", "-q", "-a", "-d", "-f"],
         some_history),
    Case("rg", "ripgrep", "search, Rust's threads", lambda p: ["rg", "-j4", "--sort=none", "-c", "--no-filename", "needle", p.folder],
         some_files),
    Case("make", "make", "forty jobs, eight at once", lambda p: ["make", "-j8", "-f", p / "Makefile"], makefile),
    Case("gdb", "gdb", "debugger with threads of its own, of a program with threads",
         lambda p: ["gdb", "-q", "-batch", "-ex", "break left", "-ex", "run", "-ex", "delete", "-ex", "continue", p / "program"],
         lambda p: compile_here(p, "debugged.c", "-g"), keep=r"Breakpoint \d, left.*|^sum \d+|exited \w+"),
    Case("perl", "perl", "interpreter, a thread a task", lambda p: ["perl", "-e", PERL]),
    Case("ruby", "ruby", "interpreter with a lock and a timer thread", lambda p: ["ruby", "-e", RUBY]),
    Case("node", "nodejs", "interpreter, an epoll, a pool of threads, workers with an epoll each", lambda p: ["node", "-e", NODE], some_files),
]

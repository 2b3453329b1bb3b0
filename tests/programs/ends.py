"""Cases: programs that end by themselves, and whose output is the answer."""
import subprocess

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


FIO = "for e in sync psync vsync pvsync2 mmap; do fio --thread --name=x --directory=. --size=1M --bs=16k --numjobs=4 --rw=randrw --iodepth=8 " \
      "--ioengine=$e --verify=crc32c --minimal >/dev/null || echo $e; rm -f x.*; done"

SQUASH = "mksquashfs files a -processors 4 -noappend -quiet -no-progress -mkfs-time 0 -all-time 0 >/dev/null && sha256sum a && " \
         "unsquashfs -q -n -processors 4 -d out a >/dev/null && cat out/* | sha256sum"

VIDEO = "ffmpeg -v error -f lavfi -i testsrc=d=1:s=320x240 -pix_fmt yuv420p in.y4m; x264 --quiet --threads 4 --no-progress -o a.264 in.y4m 2>/dev/null; " \
        "x265 --log-level none --pools 4 --no-progress -o a.265 in.y4m >/dev/null 2>&1; sha256sum a.264 a.265"

STREAM = "gst-launch-1.0 -q videotestsrc num-buffers=60 ! video/x-raw,width=320,height=240 ! queue ! videoconvert ! queue max-size-buffers=2 ! " \
         "videoscale ! video/x-raw,width=100,height=100 ! tee name=t t. ! queue ! filesink location=a t. ! queue ! filesink location=b; sha256sum a b"

PASCAL = """program prog; {$mode objfpc} uses cthreads, classes, sysutils;
type TWorker = class(TThread) n: integer; procedure Execute; override; end;
var total: longint = 0; i: integer; workers: array[1..10] of TWorker; section: TRTLCriticalSection;
procedure TWorker.Execute; begin sleep(5); EnterCriticalSection(section); inc(total, n); LeaveCriticalSection(section); end;
begin
  InitCriticalSection(section);
  for i := 1 to 10 do begin workers[i] := TWorker.Create(true); workers[i].n := i; workers[i].Start; end;
  for i := 1 to 10 do workers[i].WaitFor;
  writeln(total);
end.
"""

D = """import std.stdio, std.concurrency, std.parallelism, std.range, core.thread, core.memory, core.time;
void work(Tid owner, int i) { Thread.sleep(5.msecs); send(owner, i * i); }
void main() {
    foreach (i; 0 .. 10) spawn(&work, thisTid, i);
    int sum;
    foreach (i; 0 .. 10) sum += receiveOnly!int();
    auto all = iota(100000).array;
    foreach (i; 0 .. 5) {
        auto t = new Thread({ foreach (k; 0 .. 1000) new int[100]; }).start();
        GC.collect();
        t.join();
    }
    writeln(sum, " ", taskPool.reduce!"a + b"(0L, all));
}
"""


def stress(names):
    """Its own checks of what it does, with threads and processes."""
    return lambda p: ["sh", "-c", "".join(f"stress-ng --temp-path . --verify --{name} 2 --{name}-ops 100 -t 20 2>&1 | "
                                          "grep -oE 'unsuccessful|successful run|fail.*'; " for name in names.split())]


def folder_and_text(place):
    some_text(place)
    (place / "files").mkdir()
    some_files(place, place / "files")


def made_by(name, text, *command):
    """A program of this folder's, made from that text."""
    def files(place):
        (place / name).write_text(text)
        subprocess.run(command, cwd=place.folder, check=True, capture_output=True)
    return files


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
    Case("aria2c", "aria2", "downloader, four connections", lambda p: ["aria2c", "-q", "-x4", "-s4", "-k", "1M", "-d", p.folder, "-o", "got",
                                                                        f"http://127.0.0.1:{p.other}/"], page_server, files=True),
    Case("mbuffer", "mbuffer", "a thread that reads, one that writes, between pipes",
         lambda p: ["sh", "-c", "cat text | mbuffer -q -m 1M -s 1k | mbuffer -q -m 200k -P 50 -p 10 | sha256sum"], some_text),
    Case("mksquashfs", "squashfs-tools", "compressor, threads for each of its steps", lambda p: ["sh", "-c", SQUASH], folder_and_text),
    Case("plzip", "plzip", "compressor, threads that compute",
         lambda p: ["sh", "-c", "plzip -n4 -c text | tee x.lz | sha256sum; plzip -n4 -dc x.lz | sha256sum"], some_text),
    Case("x264", "x264 x265 ffmpeg", "video encoders, threads that compute", lambda p: ["sh", "-c", VIDEO]),
    Case("gst-launch-1.0", "gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good", "media pipeline, a thread a queue",
         lambda p: ["sh", "-c", STREAM]),
    Case("fio", "fio", "reads and writes files, four threads, five ways", lambda p: ["sh", "-c", FIO]),
    Case("stress-ng", "stress-ng", "mutexes, semaphores, futexes, pipes, sockets", stress("pthread mutex sem futex poll pipe sock robust eventfd epoll")),
    Case("stress-ng", "stress-ng", "queues, timers, FIFOs, signals, children", stress("mq msg timer fifo udp sockpair tee splice sigq sigpipe fork vfork")),
    Case("prog.pas", "fpc", "Free Pascal's threads", lambda p: [p / "prog"], made_by("prog.pas", PASCAL, "fpc", "-v0", "prog.pas")),
    Case("prog.d", "ldc gcc", "D: threads, a pool, a collector that stops them", lambda p: [p / "prog"],
         made_by("prog.d", D, "ldc2", "prog.d", "-of=prog")),
]

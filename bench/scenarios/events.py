"""events: event-driven programs from Debian, natively and preloaded: they gain nothing, and shall lose nothing."""
import os
import re
import shutil
import subprocess
import tempfile
import time

from kit import machine, rounds, table
from kit.server import Server, ServerFailed, free_port

QUESTION = "What do event-driven programs lose?"
CONNECTIONS = 50
MOST = 3  # rounds

NGINX = """daemon off; worker_processes 1; error_log {folder}/error.log; pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; {more}
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; root {folder}; }} }}
"""
HAPROXY = """global
 nbthread {threads}
defaults
 mode http
 timeout client 30s
frontend f
 bind 127.0.0.1:{port}
 http-request return status 200 content-type text/plain string hello
"""


def installed(name):
    """Its path, also where the user's PATH has no place for servers; None."""
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")


def written(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def nginx(more=""):
    def command(folder, port):
        written(folder, "file", "x" * 512)
        written(folder, "big", "x" * 65536)
        return [installed("nginx"), "-e", f"{folder}/error.log", "-c",
                written(folder, "nginx.conf", NGINX.format(folder=folder, port=port, more=more))]

    return command


def haproxy(threads):
    return lambda folder, port: [installed("haproxy"), "-db", "-q", "-f",
                                 written(folder, "haproxy.cfg", HAPROXY.format(port=port, threads=threads))]


def redis(folder, port):
    return [installed("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--dir", folder, "--logfile", f"{folder}/log"]


def wrk(path="/file", close=False):
    def load(port, seconds):
        done = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s",
                               *(["-H", "Connection: close"] if close else []), f"http://127.0.0.1:{port}{path}"],
                              stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        requests = re.search(r"(\d+) requests in", done.stdout)
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
        return int(requests.group(1)), int(wrong.group(1)) if wrong else 0

    return load


def redis_benchmark(port, seconds):
    requests = 80_000 * seconds
    subprocess.run(["redis-benchmark", "-p", str(port), "-t", "get", "-c", str(CONNECTIONS), "-n", str(requests), "-q"],
                   stdout=subprocess.DEVNULL, timeout=60, check=True)
    return requests, 0


# (what, its command, the load, what must be installed)
CASES = (
    ("nginx, kept open", nginx(), wrk(), ("nginx", "wrk")),
    ("nginx, short", nginx(), wrk(close=True), ("nginx", "wrk")),
    ("nginx, aio threads, 64 KiB", nginx("aio threads;"), wrk("/big"), ("nginx", "wrk")),
    ("nginx, aio threads, directio", nginx("aio threads; directio 512; output_buffers 1 64k;"), wrk("/big"),
     ("nginx", "wrk")),
    ("haproxy, 2 threads", haproxy(2), wrk("/"), ("haproxy", "wrk")),
    ("haproxy, 2 threads, short", haproxy(2), wrk("/", close=True), ("haproxy", "wrk")),
    ("redis", redis, redis_benchmark, ("redis-server", "redis-benchmark")),
)


def family(pid):
    """The process and its children: nginx serves in one."""
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as children:
            for child in children.read().split():
                found += family(int(child))
    return found


def cpu_us(pid):
    """Of all their threads that are there, in nanoseconds (Documentation/scheduler/sched-stats.rst)."""
    total = 0
    for process in family(pid):
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/schedstat") as figures:
                total += int(figures.read().split()[0])
    return total / 1000


def measure(context, what, command, load, preload):
    pinning = machine.one_core()
    everything = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.chmod(folder, 0o755)  # nginx serves as another user
        port = free_port()
        try:
            with Server(command(folder, port), preload=context.build.patch if preload else None, cores=pinning.server,
                        port=port) as server:
                os.sched_setaffinity(0, pinning.client)
                before, began = cpu_us(server.pid), time.monotonic()
                requests, wrong = load(port, context.scale(2, 1))
                seconds, after = time.monotonic() - began, cpu_us(server.pid)
                if wrong:
                    context.failed(f"events: {what}: {wrong} wrong answers")
                return {"requests": requests, "per_second": requests / seconds,
                        "cpu_us_per_request": (after - before) / requests}
        except (ServerFailed, subprocess.SubprocessError) as failure:
            context.failed(f"events: {what}: {failure}")
            return {}
        finally:
            os.sched_setaffinity(0, everything)


def run(context):
    found = []
    for what, command, load, needs in CASES:
        missing = [name for name in needs if not installed(name)]
        if missing:
            context.say(f"left out: {what} (no {', no '.join(missing)})")
            continue
        collected = rounds.interleave({"native": False, "preloaded": True}, context.fewer(MOST),
                                      lambda name, preload: measure(context, what, command, load, preload),
                                      lambda text: table.progress(f"events, {what}: {text}"), context.late)
        for name, runs in collected.items():
            for figures in runs:
                context.emit(scenario="events", program=what, variant=name, **figures)
        native, preloaded = collected["native"], collected["preloaded"]
        found.append((what, rounds.median(native, "per_second"), rounds.median(preloaded, "per_second"),
                      rounds.median(native, "cpu_us_per_request"), rounds.median(preloaded, "cpu_us_per_request"),
                      table.times(rounds.ratio(preloaded, native, "cpu_us_per_request"))))
    context.title(f"event-driven programs, {CONNECTIONS} connections, server on one core, "
                  f"median of {context.fewer(MOST)} rounds")
    if found:
        context.write(("program", "native req/s", "preloaded req/s", "native CPU us/req", "preloaded CPU us/req",
                       "preloaded / native"), found)

#!/usr/bin/env python3
"""`gev compare`: gev_compare.py GEV SERVER PLAIN SINGLE STATIC TOOLS.

SERVER is the demos' legacy_server, a thread a connection; PLAIN a program with threads that ends by itself,
SINGLE one without; STATIC a static one; TOOLS the source folder of the tools.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

from expect import expect, failures

LOAD = pathlib.Path(__file__).parent / "compare_load.py"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def nobody_listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def what_loads_say(tools):
    """Ends of the generators' outputs, as their current Debian versions print them."""
    sys.path.insert(0, f"{tools}/compare")
    import loads
    import table

    wrk = """Running 1s test @ http://127.0.0.1:8123/i
  2 threads and 30 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     9.32ms   40.18ms 507.70ms   97.15%
    Req/Sec   527.20    330.21     1.25k    61.11%
  Latency Distribution
     50%    4.45ms
     75%    7.10ms
     90%   11.02ms
     99%  207.70ms
  1048 requests in 1.00s, 201.62KB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 5
Requests/sec:   1048.00
Transfer/sec:    201.62KB
"""
    ab = """Complete requests:      500
Failed requests:        2
Requests per second:    1203.02 [#/sec] (mean)
Percentage of the requests served within a certain time (ms)
  50%      4
  99%     18
 100%     21 (longest request)
"""
    hey = """Summary:
  Requests/sec:	2000.5000

Latency distribution:
  50% in 0.0123 secs
  99% in 0.0500 secs

Status code distribution:
  [200]	950 responses
  [503]	50 responses
"""
    h2load = """finished in 1.05s, 9523.81 req/s, 1.00MB/s
requests: 10000 total, 10000 started, 10000 done, 9990 succeeded, 10 failed, 10 errored, 0 timeout
"""
    redis = """====== PING_INLINE ======
  100000 requests completed in 0.80 seconds
Summary:
  throughput summary: 125000.00 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.210     0.080     0.200     0.300     0.450     1.500
"""
    sysbench = """SQL statistics:
    transactions:                        3000   (299.50 per sec.)
    ignored errors:                      0      (0.00 per sec.)
"""
    for what, text, wanted in (("wrk", wrk, (1048, 1048, 0.00445, 0.2077, 9)), ("ab", ab, (500, 1203.02, 0.004, 0.018, 2)),
                               ("hey", hey, (1000, 2000.5, 0.0123, 0.05, 50)), ("h2load", h2load, (10000, 9523.81, None, None, 10)),
                               ("redis-benchmark", redis, (100000, 125000, 0.0002, 0.00045, None)),
                               ("sysbench", sysbench, (3000, 299.5, None, None, 0)), ("others", "all went well\n", None)):
        got = loads.read(text)
        expect(f"what {what} says", got and tuple(v if v is None else round(v, 9) for v in got), wanted)

    native = {"os_threads": 101, "memory": 12.5 * 2**20, "rate": 70865, "p50": 0.01389, "cpu_a_request": 14.04e-6, "cpu": 1, "errors": 0}
    green = {"os_threads": 1, "memory": 14 * 2**20, "rate": 126733, "p50": 0.0078, "cpu_a_request": 7.77e-6, "cpu": 1, "errors": 0}
    expect("the table", list(table.lines({"native": native, "green": green})),
           ["                        native         green",
            "OS threads                 101             1  1/101",
            "memory               12.50 MiB     14.00 MiB  +12 %",
            "requests/s              70 865       126 733  +79 %",
            "p50                   13.89 ms       7.80 ms  -44 %",
            "CPU a request         14.04 us       7.77 us  -45 %",
            "errors                       0             0"])


def a_server(gev, server):
    port = free_port()
    load = f"{sys.executable} {LOAD} {port} 20"
    with tempfile.TemporaryDirectory() as name:
        file = pathlib.Path(name, "figures.json")
        status, out, error = run(gev, "compare", "--rounds=2", "--load", load, f"--json={file}", "--", server, str(port))
        figures = json.loads(file.read_text()) if file.exists() else {}
    expect("a server: it went well", status, 0)
    said = [re.sub(r"\d+ requests/s", "N requests/s", line) for line in error.splitlines()]
    expect("a server: each round, the second the other way round", said,
           [f"gev: compare: round {n} of 2, {way}: N requests/s" for n, way in
            ((1, "native"), (1, "green"), (2, "green"), (2, "native"))])
    medians = figures.get("medians", {})
    expect("a server: OS threads", [medians.get(way, {}).get("os_threads") for way in ("native", "green")], [21, 1])
    expect("a server: what the load said", [[medians.get("green", {}).get(key) for key in ("rate", "p50", "p99", "errors")]],
           [[400, 0.0015, 0.01225, 0]])
    rows = [line[:16].strip() for line in out.splitlines()]
    expect("a server: the table's rows", rows[1:6] + rows[6:7],
           ["OS threads", "memory", "requests/s", "p50", "p99", "CPU a request"])
    expect("a server: the last line", out.splitlines()[-1], f"medians of 2 rounds in turn; load: {load}")
    expect("a server: nothing is left", nobody_listens(port), True)


def by_itself(gev, plain, single):
    status, out, error = run(gev, "compare", "--rounds", "1", "--quiet", plain)
    expect("a program by itself", (status, error, out.splitlines()[-1][:40]), (0, "", "one round; no load: the program by itself"[:40]))
    expect("one that never makes a thread", run(gev, "compare", "--rounds=1", "--quiet", "--", single)[2],
           f"gev: '{single}' never makes a thread: there is nothing to gain\n")


def failing(gev, server, static):
    port, python = str(free_port()), sys.executable
    expect("it does not listen", run(gev, "compare", "--load", "true", "--", python, "-c", "print('sorry'); exit(3)"),
           (1, "", "gev: compare: native: the program does not listen: it ended with status 3\n  | sorry\n"))
    expect("it never listens", run(gev, "compare", "--load", "true", "--wait", "0.1", "--", python, "-c", "import signal; signal.pause()"),
           (1, "", "gev: compare: native: the program does not listen after 0.1 s; --wait=SECONDS gives it longer\n"
            "  (it printed nothing)\n"))
    expect("the load fails", run(gev, "compare", "--load", "echo oh; exit 4", "--", server, port),
           (1, "", "gev: compare: native: the load ended with status 4: echo oh; exit 4\n  | oh\n"))
    expect("the load does not end", run(gev, "compare", "--load", "sleep 60", "--limit", "0.1", "--", server, port),
           (1, "", "gev: compare: native: the load did not end within 0.1 s; --limit=SECONDS gives it longer\n"))
    expect("nothing is left of them", nobody_listens(int(port)), True)
    expect("no such program", run(gev, "compare", "--", "/no/such/program"),
           (1, "", "gev: compare: '/no/such/program': No such file or directory\n"))
    expect("a static program", run(gev, "compare", "--load", "true", "--", static),
           (2, "", f"gev: compare: '{static}' is statically linked: it has no dynamic linker that would load libpatch.so\n"))
    expect("no program", run(gev, "compare"), (125, "", "gev: compare: which program?\n"))
    expect("no rounds", run(gev, "compare", "--rounds=0", "--", python), (125, "", "gev: compare: --rounds: at least one\n"))
    expect("an unknown option", run(gev, "compare", "--fast", "--", "true")[0], 125)
    expect("help", run(gev, "compare", "--help"), run(gev, "help", "compare"))


def interrupted(gev, server):
    """Ended in the middle of a load: the program goes with it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        # The load tells through a FIFO that it runs, and then stays.
        fifo = os.path.join(name, "here")
        os.mkfifo(fifo)
        with subprocess.Popen([gev, "compare", "--load", f"echo here >{fifo}; sleep 60", "--", server, str(port)],
                              stderr=subprocess.PIPE, text=True) as process:
            with open(fifo) as file:
                expect("a load runs", file.read(), "here\n")
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=120)
    expect("interrupted", (process.returncode, error), (130, "gev: compare: interrupted; what it had started is ended\n"))
    expect("interrupted: nothing is left", nobody_listens(port), True)


def main(gev, server, plain, single, static, tools):
    what_loads_say(tools)
    a_server(gev, server)
    by_itself(gev, plain, single)
    failing(gev, server, static)
    interrupted(gev, server)
    return 1 if failures() else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(*map(os.path.realpath, sys.argv[1:])))

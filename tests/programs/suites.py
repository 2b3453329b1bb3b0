#!/usr/bin/env python3
"""docs/programs.md: suites.py BUILD [--write PAGE] [--slice LENGTH] [NAME...]: bigger programs that bring their own judgement of what is right.

CPython's own regression tests, each group run natively and preloaded; what each test case says must be the same in both. A MariaDB server under
sysbench: transactions without errors, tables that check, one OS thread, and an end within seconds. Programs in C++, in Rust and with OpenMP, compiled
here. The programs of programs.py, natively and preloaded: the same answers and the same end, on one OS thread. What is not installed is skipped
with a word. Prints a line each; ends with 1 if one is not as it is natively, except for what is listed as known, which must still be so.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import programs
import running

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3.11"

# Group: arguments beside its name.
PYTHON_GROUPS = {
    "test_thread": [],
    "test_threading": [],
    "test_threading_local": [],
    "test_threadsignals": [],
    "test_queue": [],
    "test_socket": ["-i", "*VSOCK*"],
    "test_subprocess": [],
    "test_concurrent_futures": [],
    "test_asyncio": [],
}
LEFT_OUT = {
    "test_socket": "`*VSOCK*`: needs a kernel with virtual sockets, and never ends natively where they lead nowhere",
}
# Test cases that may differ, and why.
KNOWN = {}
LIMIT = 500  # seconds a group

HEAD = """# Programs: suites that judge for themselves

This page is made by `./dev suites`, which runs `tests/programs/suites.py`. CPython's regression tests for threads, queues, sockets and
processes are run natively and preloaded, and each test case must say the same. The MariaDB server answers sysbench preloaded: no failed
transactions beyond the deadlocks that sysbench itself expects, tables that `CHECK TABLE` finds right, one OS thread, and a clean shutdown. The
C++, Rust and OpenMP programs are compiled here, and print the same in both runs.

The programs from Debian packages run natively and preloaded under the same small load, of clients that belong to them or of twenty connections
at once; what they answer and the status with which they end (servers on SIGTERM) must be the same, and preloaded no process of theirs, their
clients included, may ever be seen with more than one OS thread, except where the page says why. Real threads of the runtime's own, on which libc
looks up names and locks files, are not counted. Some servers are told meanwhile to read their configuration again or to hand over to another process,
and some meet clients that reset, say half of what they want, close their sending side, or read in small pieces.

A row is that of its suite's last run (`./dev suites NAME` makes one again); not all rows were made on one day.

"""


class Skip(Exception):
    pass


# What the preloaded runs have in their environment beside the shim.
HURRY = {}


def preload(build):
    return dict(os.environ, LD_PRELOAD=str(build / "shim" / "libpatch.so"), **HURRY)


def version(command):
    words = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+[\w.]*", words.stdout + words.stderr)
    return found[0] if found else ""


# ---- CPython ----


def python_cases(group, environment, folder):
    """test case -> how it ended. A group that does not end has the one case "the group"."""
    results = folder / "results.xml"
    command = [PYTHON, "-m", "test", f"--junit-xml={results}", group, *PYTHON_GROUPS[group]]
    try:
        subprocess.run(command, cwd=folder, env=environment, timeout=LIMIT, check=False, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return {"the group": f"no end within {LIMIT} s"}
    if not results.exists():
        return {"the group": "no results"}
    cases = {}
    for case in xml.etree.ElementTree.parse(results).iter("testcase"):
        ending = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        cases[case.get("name")] = ending[0] if ending else case.get("result", "completed")
    return cases


def python(group, build):
    if not pathlib.Path(PYTHON).exists() or subprocess.run([PYTHON, "-c", f"import test.{group}"], check=False,
                                                          stderr=subprocess.DEVNULL).returncode:
        raise Skip("the package libpython3.11-testsuite is missing")
    runs = []
    for environment in dict(os.environ), preload(build):
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            runs.append((python_cases(group, environment, pathlib.Path(folder)), time.monotonic() - began))
    (native, native_time), (patched, patched_time) = runs
    wrong = ["natively: " + native["the group"]] if "the group" in native else []
    for name in sorted(native.keys() | patched.keys()):
        if native.get(name) != patched.get(name) and name not in KNOWN:
            wrong.append(f"{name}: {native.get(name, 'absent')} natively, {patched.get(name, 'absent')} preloaded")
    note = f"{len(native)} cases, {native_time:.0f} s natively, {patched_time:.0f} s preloaded"
    if group in LEFT_OUT:
        note += "; without " + LEFT_OUT[group]
    return version([PYTHON, "--version"]), note, wrong


# ---- MariaDB ----


class Server:
    def __init__(self, folder, environment, native_aio):
        self.folder, self.socket = folder, folder / "socket"
        user = ["--user=mysql"] if os.getuid() == 0 else []
        if os.getuid() == 0:
            os.chown(folder, pwd.getpwnam("mysql").pw_uid, -1)
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", "--skip-test-db",
                        "--auth-root-authentication-method=normal", *user], check=True, capture_output=True, timeout=120)
        with open(folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={folder}/data", f"--socket={self.socket}",
                 "--skip-networking", f"--pid-file={folder}/pid", "--innodb-buffer-pool-size=64M",
                 f"--innodb-use-native-aio={native_aio}", "--max-connections=1100", "--max-prepared-stmt-count=100000", *user],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def client(self, *arguments, program="mariadb", limit=60):
        return subprocess.run([program, "--no-defaults", "-S", self.socket, "-u", "root", *arguments],
                              capture_output=True, text=True, timeout=limit, check=False)

    def wait(self):
        deadline = time.monotonic() + 60
        while self.client("ping", program="mariadb-admin").returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not come up: " + (self.folder / "log").read_text()[-300:])
            time.sleep(0.1)

    def threads(self):
        return running.threads(self.process.pid)

    def sysbench(self, work, action, connections=1, seconds=4):
        command = ["sysbench", work, f"--mysql-socket={self.socket}", "--mysql-user=root", "--mysql-db=sb", "--tables=2",
                   "--table-size=2000", f"--threads={connections}", f"--time={seconds}", action]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode or "FATAL" in done.stdout:
            raise RuntimeError(f"sysbench {work} {action}: {done.stdout[-300:]}{done.stderr[-300:]}")
        return done.stdout


def mariadb(native_aio, build):
    for needed in "mariadbd", "mariadb-install-db", "sysbench":
        if not shutil.which(needed, path=os.environ["PATH"] + ":/usr/sbin"):
            raise Skip("the packages mariadb-server and sysbench are missing")
    wrong, rates = [], []
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        server = Server(pathlib.Path(name), preload(build), native_aio)
        try:
            server.wait()
            server.client("-e", "create database sb")
            server.sysbench("oltp_point_select", "prepare")
            for connections in 8, 128, 1000:
                for work in "oltp_point_select", "oltp_read_write":
                    said = server.sysbench(work, "run", connections)
                    rates.append(f"{work} at {connections}: {re.search(r'queries:.*?([0-9.]+) per sec', said)[1]} queries/s")
                    if server.threads() != 1:
                        wrong.append(f"{server.threads()} OS threads under {work} at {connections} connections")
            for table in "sbtest1", "sbtest2":
                if "status\tOK" not in server.client("-N", "-e", f"check table sb.{table}").stdout:
                    wrong.append(f"CHECK TABLE {table}")
                if server.client("-N", "-e", f"select count(*) from sb.{table}").stdout.strip() != "2000":
                    wrong.append(f"rows of {table}")
            server.client("shutdown", program="mariadb-admin")
            status = server.process.wait(30)
            if status or "Shutdown complete" not in (pathlib.Path(name) / "log").read_text():
                wrong.append(f"the shutdown: status {status}")
        except (RuntimeError, subprocess.SubprocessError) as e:
            wrong.append(str(e))
        finally:
            if server.process.poll() is None:
                server.process.kill()
                server.process.wait()
    return version(["/usr/sbin/mariadbd", "--version"]), "; ".join(rates), wrong


# ---- Programs compiled here ----


COMPILERS = {
    ".c": ("gcc", ["-O2", "-pthread"], "-dumpfullversion"),
    ".cc": ("g++", ["-O2", "-pthread"], "-dumpfullversion"),
    ".rs": ("rustc", ["-O"], "--version"),
}


def compiled(source, flags, environment, build):
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/program"
        compiler, optimize, asks = COMPILERS[pathlib.Path(source).suffix]
        if not shutil.which(compiler):
            raise Skip(f"{compiler} is not installed")
        made = subprocess.run([compiler, *optimize, "-o", program, HERE / source, *flags], capture_output=True, text=True, check=False)
        if made.returncode:
            raise Skip("the compiler cannot make it: " + made.stderr.splitlines()[0])
        runs = []
        for base in dict(os.environ), preload(build):
            with contextlib.suppress(subprocess.TimeoutExpired):
                runs.append(subprocess.run([program], env=dict(base, **environment), capture_output=True, text=True, timeout=60,
                                           check=False))
    wrong = []
    if len(runs) < 2:
        wrong.append("no end")
    elif (runs[0].returncode, runs[0].stdout) != (runs[1].returncode, runs[1].stdout):
        wrong.append(f"natively {runs[0].returncode} {runs[0].stdout!r}, preloaded {runs[1].returncode} {runs[1].stdout!r}")
    elif runs[0].returncode:
        wrong.append(f"fails natively: {runs[0].stderr[-200:]}")
    return version([compiler, asks]), "the same output", wrong


# ---- Programs from Debian packages ----


def program(case, build):
    if not case.version():
        raise Skip(f"of the packages {case.package} one is missing")
    if case.root and os.getuid():
        raise Skip("only root may start it")
    native, patched = running.run(case), running.run(case, environment=preload(build))
    wrong = []
    if isinstance(native.answer, str):
        wrong.append(f"natively it {native.answer}")
    if native.answer != patched.answer:
        wrong.append(f"answers {patched.answer}"[:200] if isinstance(patched.answer, str) else "other answers")
    if native.status != patched.status and not case.any_status:
        wrong.append(f"ends with {native.status} natively, {patched.status} preloaded")
    if patched.threads > case.threads:
        wrong.append(f"{patched.threads} OS threads")
    if "cannot be preloaded" in patched.error:
        wrong.append("it was not preloaded")
    note = f"OS threads: {native.threads} natively, {patched.threads} preloaded; ends with {'any status' if case.any_status else native.status}"
    if patched.threads > 1:
        note += "; " + case.because
    return case.version(), note, wrong


def suites():
    found = {f"CPython {group}": (lambda build, group=group: python(group, build)) for group in PYTHON_GROUPS}
    found["MariaDB, native AIO"] = lambda build: mariadb(1, build)
    found["MariaDB, its own AIO threads"] = lambda build: mariadb(0, build)
    found["C++20 threads"] = lambda build: compiled("threads.cc", ["-std=c++20"], {}, build)
    found["Rust threads"] = lambda build: compiled("threads.rs", [], {}, build)
    found["OpenMP, passive"] = lambda build: compiled("openmp.c", ["-fopenmp"],
                                                      {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "8"}, build)
    found.update({case.title: (lambda build, case=case: program(case, build)) for case in programs.CASES})
    return found


def rows_of(page):
    """The page's rows, by the name of their suites."""
    lines = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    return {line.split("|")[1].strip(): line for line in lines if line.startswith("| ")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--slice", metavar="LENGTH", help="time slices of that length (50us) in the preloaded runs; no page is written")
    parser.add_argument("names", nargs="*", help="those whose names contain one of these; default: all")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="so many at once")
    options = parser.parse_intermixed_args()
    build = options.build.resolve()
    if options.slice:
        HURRY["GEV_SLICE"] = options.slice
        options.write = None

    def run_one(suite):
        name, run = suite
        try:
            release, note, wrong = run(build)
            result = "**differs**: " + "; ".join(wrong[:5]) if wrong else "as it should be"
        except Skip as e:
            release, note, wrong, result = "", str(e), [], "skipped"
        print(f"{name} {release}: {result}; {note}", flush=True)
        return name, f"| {name} | {release} | {result} | {note} |".replace("\n", " "), bool(wrong)

    known = suites()
    chosen = [s for s in known.items() if not options.names or any(word in s[0] for word in options.names)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        done = list(pool.map(run_one, chosen))
    if options.write:
        rows = rows_of(options.write) | {name: row for name, row, _ in done}
        table = "| program | version | result | what was seen |\n|---|---|---|---|\n" + "\n".join(rows[name] for name in known if name in rows) + "\n"
        options.write.write_text(HEAD + table, encoding="utf-8")
    return 1 if any(wrong for *_, wrong in done) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs a Case once: starts it, drives it, counts its OS threads meanwhile, asks it to end, and says how it ended."""
import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time

import case as cases

LIMIT = 40  # seconds until it listens, or ends by itself
PATIENCE = 10  # seconds from SIGTERM to its end


@dataclasses.dataclass
class Run:
    answer: object = None
    # Its exit status, as Popen says it; after SIGTERM if it is driven. None: it had to be killed.
    status: int = None
    # The most OS threads that one of its processes was seen with, the runtime's own left out.
    threads: int = 1
    error: str = ""
    # Files that were asked for: name -> text, "" if it is not there.
    files: dict = dataclasses.field(default_factory=dict)


def stat(pid):
    """(parent, session, number of OS threads)"""
    fields = pathlib.Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), int(fields[3]), int(fields[17])


def threads(pid):
    """Of one process. The runtime's threads for calls that block in libc name themselves gev-…, a moment after they have begun."""
    def count():
        names = [path.read_text() for path in pathlib.Path(f"/proc/{pid}/task").glob("*/comm")]
        return sum(not name.startswith("gev-") for name in names)

    number = stat(pid)[2]
    for _ in range(100):
        if number == 1:
            break
        time.sleep(0.001)
        number = min(number, max(count(), 1))
    return number


def family(leaders):
    """The processes that descend from one of the leaders, or are of its session."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                found[int(entry)] = stat(entry)
    for pid, (_, session, _) in found.items():
        ancestor = pid
        while ancestor in found and ancestor not in leaders:
            ancestor = found[ancestor][0]
        if ancestor in leaders or session in leaders:
            yield pid


class Watch:
    """Looks at the processes of a run, on a thread of its own: who there is every now and then, how many threads each has more often."""

    def __init__(self, leaders, run):
        self.leaders, self.run, self.over = leaders, run, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.over.is_set():
            known = list(family(self.leaders))
            for _ in range(20):
                for pid in {*known, *self.leaders}:
                    with contextlib.suppress(OSError):
                        self.run.threads = max(self.run.threads, threads(pid))
                if self.over.wait(0.003):
                    break

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def listens(port):
    with contextlib.suppress(OSError):
        return any(line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
                   for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
    return False


def end(process):
    """Asks the process, then kills what is left of its session. Its status, or None."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    status = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = process.wait(PATIENCE)
    for pid in list(family([process.pid])):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    return status


def talk(case, place, process, out):
    """(what it answered, its status if it has ended)"""
    if case.drive is None:
        try:
            status = process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            return "does not end", None
        out.seek(0)
        text = out.read()
        return (re.findall(case.keep.encode(), text, re.M) if case.keep else text), status
    limit = time.monotonic() + LIMIT
    while not listens(place.port):
        if process.poll() is not None or time.monotonic() > limit:
            return "does not listen", process.poll()
        time.sleep(0.02)
    try:
        return case.drive(place), process.poll()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return f"does not answer ({error!r})", process.poll()


def run(case, prefix=(), environment=None, files=()):
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin", **(environment or {})}
    with tempfile.TemporaryDirectory(prefix="gev-") as folder, contextlib.ExitStack() as stack:
        os.chmod(folder, 0o755)  # some give up being root
        place, result = cases.Place(folder, environment), Run()
        prepared = case.prepare(place) if case.prepare else None
        if prepared is not None:
            stack.enter_context(prepared)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            process = subprocess.Popen([*prefix, *map(str, case.command(place))], stdin=subprocess.DEVNULL, stdout=out, stderr=error,
                                       env=environment, cwd=folder, start_new_session=True)
            try:
                place.leaders.append(process.pid)
                with Watch(place.leaders, result):
                    result.answer, result.status = talk(case, place, process, out)
                    if case.files:
                        result.answer = [result.answer, (place / "got").read_bytes() if (place / "got").exists() else None]
            finally:
                status = end(process)
            if result.status is None and result.answer != "does not end":
                result.status = status
            error.seek(0)
            result.error = error.read().decode(errors="replace")
        for name in files:
            path = pathlib.Path(folder, name)
            result.files[name] = path.read_text() if path.exists() else ""
        return result

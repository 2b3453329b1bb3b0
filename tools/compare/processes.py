"""Starting a program, knowing when it listens, watching what it uses, and leaving nothing of it behind.

A program may fork, and a daemon's parent ends; so this process makes itself the one to whom orphans come (prctl(2), PR_SET_CHILD_SUBREAPER),
and "the program" is whoever descends from it and is not the load.
"""
import ctypes
import os
import pathlib
import signal
import subprocess
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
TICK = os.sysconf("SC_CLK_TCK")
LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp


class Failed(Exception):
    """A sentence for the user."""


def adopt_orphans():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stat(pid):
    """The fields of /proc/PID/stat from the third on; None: it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def parents():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := stat(name)):
            found[int(name)] = int(fields[1])
    return found


def descendants(root, without=()):
    """Of root, itself not among them, and nothing of `without`."""
    all_parents = parents()
    found, last = set(), {root}
    while last:
        last = {pid for pid, parent in all_parents.items() if parent in last and pid not in without}
        found |= last
    return found


def listening_sockets(pid):
    """The inodes of TCP and Unix sockets that listen, in the process's network."""
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            lines = pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
        except OSError:
            continue
        found |= {fields[9] for fields in map(str.split, lines) if fields[3] == LISTEN}
    try:
        lines = pathlib.Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]
    except OSError:
        lines = []
    # Bit 16 of the flags: SO_ACCEPTCON, a socket that listens.
    return found | {fields[6] for fields in map(str.split, lines) if int(fields[3], 16) & 0x10000}


def listens(pid):
    sockets = {f"socket:[{inode}]" for inode in listening_sockets(pid)}
    try:
        fds = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for fd in fds:
        try:
            if os.readlink(f"/proc/{pid}/fd/{fd}") in sockets:
                return True
        except OSError:
            pass
    return False


class Program:
    """One run of the user's program."""

    def __init__(self, command, environment=None):
        self.output = tempfile.TemporaryFile()
        self.loads = set()
        self.most_threads = self.most_memory = self.samples = 0
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
                                      env=environment, start_new_session=True)

    def pids(self):
        return descendants(os.getpid(), self.loads)

    def alive(self):
        self.child.poll()
        return bool(self.pids())

    def last_words(self, lines=5):
        self.output.seek(0)
        words = self.output.read()[-4000:].decode(errors="replace").splitlines()[-lines:]
        return "".join("\n  | " + line for line in words) or "\n  (it printed nothing)"

    def ending(self):
        status = self.child.poll()
        if status is None:
            return "it is still there"
        return f"it ended by {signal.Signals(-status).name}" if status < 0 else f"it ended with status {status}"

    def wait_until_it_listens(self, seconds):
        end = time.monotonic() + seconds
        while not any(map(listens, self.pids())):
            if not self.alive():
                raise Failed(f"the program does not listen: {self.ending()}{self.last_words()}")
            if time.monotonic() > end:
                raise Failed(f"the program does not listen after {seconds:g} s; --wait=SECONDS gives it longer{self.last_words()}")
            time.sleep(0.01)

    def cpu(self):
        """Seconds, of those that have ended and been waited for as well."""
        fields = filter(None, map(stat, self.pids()))
        return sum(int(ticks) for one in fields for ticks in one[11:15]) / TICK

    def sample(self):
        """Looks at threads and memory; keeps the highest. Memory is the proportional share: pages that processes share count once; reading
        it is work for the kernel, so it is not read each time."""
        pids = self.pids()
        self.most_threads = max(self.most_threads, sum(int(fields[17]) for fields in map(stat, pids) if fields))
        self.samples += 1
        if self.samples % 8 == 1:
            self.sample_memory(pids)

    def sample_memory(self, pids):
        memory = 0
        for pid in pids:
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                memory += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024
            except (OSError, StopIteration):
                pass
        self.most_memory = max(self.most_memory, memory)

    def stop(self):
        """Everybody: first asked, then made to."""
        for sign, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            for pid in self.pids():
                try:
                    os.kill(pid, sign)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + patience
            while self.alive() and time.monotonic() < end:
                self.reap()
                time.sleep(0.01)
        self.output.close()

    def reap(self):
        """Orphans that came to us, and have ended."""
        for pid in self.pids():
            fields = stat(pid)
            if pid != self.child.pid and fields and fields[0] == "Z" and int(fields[1]) == os.getpid():
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass


def run_load(program, command, seconds):
    """(what it printed, how long it took). The program is watched meanwhile."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        load = subprocess.Popen(command, shell=True, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                start_new_session=True)
        program.loads.add(load.pid)
        try:
            while True:
                try:
                    load.wait(0.025)
                    break
                except subprocess.TimeoutExpired:
                    program.sample()
                if not program.alive():
                    raise Failed(f"the program ended under the load: {program.ending()}{program.last_words()}")
                if time.monotonic() - start > seconds:
                    raise Failed(f"the load did not end within {seconds:g} s; --limit=SECONDS gives it longer")
        finally:
            if load.poll() is None:
                os.killpg(load.pid, signal.SIGKILL)
                load.wait()
        took = time.monotonic() - start
        program.sample()
        program.sample_memory(program.pids())
        output.seek(0)
        text = output.read().decode(errors="replace")
    if load.returncode:
        tail = "".join("\n  | " + line for line in text.splitlines()[-5:])
        raise Failed(f"the load ended with status {load.returncode}: {command}{tail}")
    return text, took

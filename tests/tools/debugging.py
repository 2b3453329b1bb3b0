#!/usr/bin/env python3
"""docs/debugging.md is true: debugging.py PAGE BUILD BANK [--write].

Runs every line that begins with `$` in the page's console blocks, in one place, in their order, and compares what they print with what the page
says; --write puts it into the page instead. A command that ends with & is the program that hangs; its process is called 4711 in the page. One that
ends with "# then Ctrl-C" is ended when it has printed as many lines as the page has, or nothing for a while. Numbers
that differ from run to run (addresses, times, pipes) count as equal, and so do the frames of libpatch.so and libgev.so, which are not the page's
subject. Ends with 77, "skipped", where gdb may not attach.
"""
import itertools
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

NAME = "4711"
# What may differ, and what stands for it. A frame of the libraries: whatever it is.
VARIES = [
    (r"^(  #\d+) .* \((libpatch|libgev)\.so\S*\)$", r"\1 \2"),
    (r"^( +\d+ +\w+) +\S+ +\d+ +\S+ +\S+ +\S+ +(\d+  \w+ )", r"\1 \2"),  # gev ps: the state and who made it stay, the figures go
    (r"0x[0-9a-f]+", "ADDRESS"),
    (r"\b\d+(\.\d+)?(us|ms|s)\b", "TIME"),
    (r"pipe:\[\d+\]", "PIPE"),
    (r"\S*/bank\.c", "bank.c"),
    (r"(?<=\S) +", " "),
    (r"^ +", ""),
]


def same(text):
    for pattern, name in VARIES:
        text = re.sub(pattern, name, text, flags=re.M)
    return text


def blocks(page):
    """(where it begins, where it ends, its lines) of each console block."""
    for found in re.finditer(r"^```console\n(.*?)^```$", page, re.M | re.S):
        yield found.start(1), found.end(1), found[1].splitlines()


def wait_until_asleep(pid):
    end = time.monotonic() + 100
    stat = pathlib.Path(f"/proc/{pid}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] != "S":
        if time.monotonic() > end:
            raise RuntimeError("the program does not come to rest")
        os.sched_yield()


class Session:
    """A shell's worth of commands in one folder."""

    def __init__(self, build, bank, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "bank").symlink_to(bank)
        (self.folder / ".gdbinit").write_text("add-auto-load-safe-path /\nset style enabled off\nset debuginfod enabled off\n")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GEV_")}
        self.environment = {**environment, "PATH": f"{build}/tools:{environment['PATH']}", "HOME": folder, "LC_ALL": "C.UTF-8"}
        self.background = None

    def run_until(self, command, lines):
        """As many lines, or with none wanted what comes in ten seconds."""
        process = subprocess.Popen(["sh", "-c", "exec " + command], cwd=self.folder, env=self.environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        timer = threading.Timer(60 if lines else 10, process.send_signal, [signal.SIGINT])
        timer.start()
        try:
            said = "".join(itertools.islice(process.stdout, lines or None))
        finally:
            timer.cancel()
            process.kill()
            process.communicate()
        return said

    def run(self, command, lines):
        """lines: how many the page has."""
        if command.endswith("# then Ctrl-C"):
            return self.run_until(command, lines)
        if command.endswith(" &"):
            self.background = subprocess.Popen(["sh", "-c", "exec env " + command.removesuffix(" &")], cwd=self.folder, text=True,
                                               env=self.environment, stdout=subprocess.PIPE)
            line = self.background.stdout.readline()
            wait_until_asleep(self.background.pid)
            return line
        dump = self.folder / "dump.txt"
        before = dump.stat().st_size if dump.exists() else 0
        if self.background:
            command = command.replace(NAME, str(self.background.pid))
        done = subprocess.run(["sh", "-c", command], cwd=self.folder, env=self.environment, text=True, timeout=150,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if command.startswith("kill -USR2"):
            end = time.monotonic() + 100
            while not dump.exists() or dump.stat().st_size == before or "deadlock" not in dump.read_text().splitlines()[-3]:
                if time.monotonic() > end:
                    raise RuntimeError("no dump")
                os.sched_yield()
        pid = str(self.background.pid) if self.background else NAME
        return re.sub(rf"\b{pid}\b", NAME, done.stdout)

    def end(self):
        if self.background:
            self.background.send_signal(signal.SIGKILL)
            self.background.communicate()


def may_attach(session):
    done = subprocess.run(["sh", "-c", "sleep 20 & gdb -nx -batch -p $! 2>&1; kill $!"], capture_output=True, text=True, timeout=150)
    return "not permitted" not in done.stdout


def main(page_name, build, bank, *options):
    path = pathlib.Path(page_name)
    page = path.read_text()
    new, last, wrong = "", 0, 0
    with tempfile.TemporaryDirectory() as folder:
        session = Session(build, bank, folder)
        if not may_attach(session):
            print("gdb may not attach here")
            return 77
        try:
            for start, end, lines in blocks(page):
                said = ""
                for command in [line[2:] for line in lines if line.startswith("$ ")]:
                    said += f"$ {command}\n{session.run(command, 0 if '--write' in options else len(lines) - 1)}"
                stands = "".join(line + "\n" for line in lines)
                if same(said) != same(stands):
                    wrong += 1
                    print(f"the page says:\n{stands}\nnow it is:\n{said}")
                new += page[last:start] + said
                last = end
        finally:
            session.end()
    if "--write" in options:
        path.write_text(new + page[last:])
        return 0
    print(f"{wrong} blocks differ")
    return 1 if wrong or not last else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(os.path.realpath, sys.argv[2:4]), *sys.argv[4:]))

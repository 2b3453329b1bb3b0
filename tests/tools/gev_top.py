#!/usr/bin/env python3
"""`gev top`: gev_top.py GEV HANG LIBPATCH SCREEN: word by word on a hung program, as lines, and where SCREEN is "yes" as a screen too."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

from hung import hung

failures = 0


def expect(what, fits, got=None):
    global failures
    failures += not fits
    print(f"{'ok' if fits else 'NOT OK'}: {what}" + ("" if fits or got is None else f": {got!r}"))


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    return done.returncode, done.stdout, done.stderr


TIME = r" +(\d+us|[\d.]+ms|[\d.]+s|-)"
ROW = r" +\d+% +\d+% +\d+" + TIME + r" +([\d.]+k|-)  "
PICTURE = [
    r"gev top: bank, process \d+: 4 greenlets, 4 of them wait; 1 hub",
    r"\d+ switches a second; 4 greenlets made; longest run \S+ \(\w+\); 0 stalls",
    r"    ID NAME             STATE   BUSY   CPU  SWITCH/s   WAITED    STACK  WAITS FOR",
    r"     1 main             waits " + ROW + r"the end of 2 \(accountant\)",
    r"     2 accountant       waits " + ROW + r"mutex checking, held by 3 \(auditor\)",
    r"     3 auditor          waits " + ROW + r"mutex savings, held by 2 \(accountant\)",
    r"     4 clerk            waits " + ROW + r"descriptor \d+ to read: pipe:\[\d+\]",
]


def lines(gev, pid):
    status, out, error = run(gev, "top", "--batch", "--times=2", "--delay=0.1", "--sort=id", str(pid))
    expect("lines: it ends well", (status, error) == (0, ""), (status, error))
    pictures = out.split("\n\n")
    expect("lines: two pictures", len(pictures) == 2, out)
    for number, picture in enumerate(pictures):
        got = picture.splitlines()
        for pattern, line in zip(PICTURE, got):
            expect(f"lines: picture {number + 1}: {pattern[:24].strip()}", re.fullmatch(pattern, line), line)
        expect(f"lines: picture {number + 1}: as many as there are", len(got) == len(PICTURE), got)
    names = [line.split()[1] for line in run(gev, "top", "-bn1", "-sname", str(pid))[1].splitlines()[3:]]
    expect("lines: by name", names == sorted(names) and len(names) == 4, names)


class Terminal:
    """A pseudo-terminal of 24 lines and 100 columns in which a program runs; what it writes is kept as it comes."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            # The size is the parent's to set, who may come later than the program: it is told in the environment too.
            os.environ.update(LINES="24", COLUMNS="100")
            os.execv(command[0], command)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
        self.text = ""

    def wait_for(self, word, seconds=20):
        """What came since the last time, up to the word; None: it did not come."""
        end = time.monotonic() + seconds
        while word not in self.text:
            if time.monotonic() > end or not select.select([self.fd], [], [], 1)[0]:
                if time.monotonic() > end:
                    return None
                continue
            try:
                self.text += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                return None
        before, _, self.text = self.text.partition(word)
        return before + word

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def status(self):
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def screen(gev, pid):
    terminal = Terminal(gev, "top", "--sort=id", "--delay=3600", str(pid))
    expect("screen: the process", terminal.wait_for(f"process {pid}: 4 greenlets, 4 of them wait"), terminal.text)
    expect("screen: the rows", terminal.wait_for("held by 2"), terminal.text)
    expect("screen: the keys", terminal.wait_for("q quit"), terminal.text)
    terminal.press("\x1bOB\n")  # down, enter
    # ncurses writes what changes: the g stood there already.
    expect("screen: a stack", terminal.wait_for("reenlet 2 (accountant) waits for mutex"), terminal.text)
    expect("screen: its frames", terminal.wait_for("accountant+"), terminal.text)
    expect("screen: how to go back", terminal.wait_for("any key goes back"), terminal.text)
    terminal.press("x")
    expect("screen: back", terminal.wait_for("descriptor"), terminal.text)
    terminal.press(" ")
    expect("screen: paused", terminal.wait_for("paused; space goes on"), terminal.text)
    terminal.press("q")
    expect("screen: its end", terminal.status() == 0)


def misuse(gev):
    for words, said in ((["top"], "it wants the number of a process"), (["top", "x"], "it wants the number of a process"),
                        (["top", "-d", "0", "1"], "--delay=0: from 0.1 to 3600 seconds"),
                        (["top", "-n", "x", "1"], "--times=x: a number"),
                        (["top", "--sort=size", "1"], "--sort=size: by id, busy, switches, waited, stack or name")):
        got = run(gev, *words)
        expect(" ".join(words), got == (125, "", f"gev: top: {said}\n"), got)
    got = run(gev, "top", "--batch", str(os.getpid()))
    expect("a process that is not asked to answer", got == (1, "", f"gev: top: process {os.getpid()} has no control socket: start it "
                                                             "with GEV_CONTROL=1; it is there when the first thread is made\n"), got)


def main(gev, program, patch, has_screen):
    misuse(gev)
    with hung(program, patch, GEV_CONTROL="1") as process:
        lines(gev, process.pid)
        if has_screen == "yes":
            screen(gev, process.pid)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*map(os.path.realpath, sys.argv[1:-1]), sys.argv[-1]))

#!/usr/bin/env python3
"""Holds what watchers say against a known picture: watch.py CASE GEV LIBPATCH PROGRAM...

Words of ours are compared word by word; addresses, times and counts, which nobody can know, by their form.
"""
import json
import os
import pathlib
import re
import select
import signal
import stat
import subprocess
import sys
import tempfile
import time

LIMIT = 120
failures = []


def expect(what, seen, wanted):
    if seen != wanted:
        failures.append(f"{what}\n  wanted {wanted!r}\n  got    {seen!r}")


def matches(what, text, pattern):
    if not re.fullmatch(pattern, text):
        failures.append(f"{what}\n  wanted {pattern}\n  got    {text!r}")


class Program:
    """A fixture that runs, and has said "ready"."""

    def __init__(self, argv, preload, **environment):
        self.folder = tempfile.TemporaryDirectory()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GEV_")}
        clean |= {"XDG_RUNTIME_DIR": self.folder.name} | environment
        if preload:
            clean["LD_PRELOAD"] = preload
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(argv, env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=self.said)
        self.ready = self.process.stdout.readline().split()
        if not self.ready or self.ready[0] != "ready":
            sys.exit(f"{argv}: not ready: {self.ready} {self.stderr()}")
        self.pid = self.process.pid
        # It has said so, and goes to wait for its standard input: the kernel knows when it does. The others need not.
        until = time.monotonic() + LIMIT
        while not re.search("stuck|deadlock|child|outside", argv[0]) and not self.sleeps() and time.monotonic() < until:
            time.sleep(0.001)

    def sleeps(self):
        """Whether the hub waits for descriptors: epoll_wait or epoll_pwait, on x86-64 and aarch64."""
        return pathlib.Path(f"/proc/{self.pid}/syscall").read_text().split()[0] in ("232", "281", "22")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.folder.cleanup()

    def stderr(self):
        self.said.seek(0)
        return self.said.read()

    def says(self, pattern):
        """Waits until standard error holds the pattern; the whole of it."""
        until = time.monotonic() + LIMIT
        while not re.search(pattern, self.stderr()):
            if time.monotonic() > until:
                failures.append(f"never said: {pattern}\n  but {self.stderr()!r}")
                break
            time.sleep(0.02)
        return self.stderr()

    def end(self):
        """Lets it end by itself; its exit status."""
        self.process.stdin.close()
        return self.process.wait(LIMIT)

    def ask(self, gev, *arguments, status=0):
        done = subprocess.run([gev, arguments[0], str(self.pid), *arguments[1:]], capture_output=True, text=True,
                              timeout=LIMIT)
        expect(f"status of gev {' '.join(arguments)}: {done.stderr}", done.returncode, status)
        return done.stdout if status == 0 else done.stderr


KINDS = ["sleeper", "reader", "acceptor", "locker", "waiter", "poster", "sharer", "writer", "joiner", "meeter", "poller"]
EACH = 30
A = r"0x[0-9a-f]+"
TIME = r"(\d+us|[\d.]+ms|[\d.]+s|\d+m\d\ds)"


def who(index):
    """Kind and name of the greenlet with that number."""
    if index == 1:
        return "main", "main"
    kind = KINDS[(index - 2) // EACH]
    return kind, "first" if index == 2 else kind


def waits_for(index, port):
    """What the greenlet with that number waits for, as `gev ps` writes it."""
    sleeper = (index - 2) % EACH + 2
    return {
        "main": "descriptor 0 to read: pipe:\\[\\d+\\]",
        "sleeper": f"time, {TIME} left",
        "reader": r"descriptor \d+ to read: unix socket unnamed, peer unnamed",
        "acceptor": rf"descriptor \d+ to read: listening socket 127\.0\.0\.1:{port}",
        "locker": rf"mutex the_lock, held by 1 \(main\)",
        "waiter": rf"condition the_condition",
        "poster": rf"semaphore {A}",
        "sharer": rf"rwlock to read the_rwlock, held by 1 \(main\)",
        "writer": rf"rwlock to write the_rwlock, held by 1 \(main\)",
        "joiner": rf"the end of {sleeper} \({who(sleeper)[1]}\)",
        "meeter": rf"barrier the_barrier",
        "poller": rf"one of 2 descriptors: \d+ \(listening socket 127\.0\.0\.1:{port}\), \d+ \(unix socket unnamed, peer unnamed\)",
    }[who(index)[0]]


def check_ps(program, gev):
    lines = program.ask(gev, "ps").splitlines()
    expect("columns of ps", lines[0].split(),
           "ID STATE FOR SWITCHES RAN CPU STACK BY NAME WAITS FOR".split())
    expect("lines of ps", len(lines) - 1, 1 + EACH * len(KINDS))
    for index, line in enumerate(lines[1:], 1):
        kind, name = who(index)
        columns = rf" *{index} waits +{TIME} +\d+ +{TIME} +{TIME} +(-|\d+k?|[\d.]+M) +{0 if index == 1 else 1}  {name} +"
        matches(f"ps of {kind}", line, columns + waits_for(index, program.ready[2]))


def check_ps_json(program, gev):
    head, *rows = map(json.loads, program.ask(gev, "ps", "--json").splitlines())
    expect("head", {key: head[key] for key in ("pid", "greenlets", "partial")},
           {"pid": program.pid, "greenlets": 1 + EACH * len(KINDS), "partial": False})
    expect("hubs", head["hubs"], [{"os_thread": program.pid, "asleep": True, "ready": 0}])
    what = {"main": "descriptor", "sleeper": "time", "reader": "descriptor", "acceptor": "descriptor", "locker": "mutex",
            "waiter": "condition", "poster": "semaphore", "sharer": "rwlock", "writer": "rwlock", "joiner": "thread",
            "meeter": "barrier", "poller": "descriptors"}
    for index, row in enumerate(rows, 1):
        kind, name = who(index)
        expect(f"{kind} in JSON",
               [row["id"], row["name"], row["entry"], row["state"], row["creator"], row["waits"]["for"]],
               [index, name, None if index == 1 else kind, "waits", 0 if index == 1 else 1, what[kind]])
        if kind in ("locker", "sharer", "writer", "joiner"):
            expect(f"owner of what a {kind} waits for", row["waits"]["owner"], (index - 2) % EACH + 2 if kind == "joiner" else 1)
        if kind == "poller":
            expect("how many a poller waits for", [row["waits"]["n"], len(row["waits"]["fds"])], [2, 2])
        if kind == "locker":
            expect("the lock's name", row["waits"]["symbol"], "the_lock")
        if index > 1 and not (0 < row["stack_used"] < row["stack_size"] and row["waited_ns"] > 0
                              and row["ran_ns"] >= row["cpu_ns"] >= 0 and row["switches"] >= 1):
            failures.append(f"numbers of {kind}: {row}")
    # Of each alone it may be 0: what a hypervisor took away is not counted, to the last nanosecond.
    expect("processor time", sum(row["cpu_ns"] for row in rows[1:]) > 0, True)


def check_bt(program, gev):
    for index in (1, 2, *(2 + EACH * k + 1 for k in range(len(KINDS)))):
        kind, name = who(index)
        heading, *frames = program.ask(gev, "bt", str(index)).splitlines()
        by = "" if index == 1 else ", made by 1"
        matches(f"heading of {kind}", heading,
                rf"greenlet {index} \({name}\) waits for {waits_for(index, program.ready[2])}, since {TIME}{by}")
        matches(f"innermost frame of {kind}", frames[0], r"  #0 \S+\+0x[0-9a-f]+ .*\(libpatch\.so\)")
        matches(f"its own function, {kind}", frames[1], rf"  #1 {kind}\+0x[0-9a-f]+ picture\.c:\d+ \(watch_picture\)")
        expect(f"depth of {kind}", len(frames), 2)
    text = program.ask(gev, "bt")
    expect("stacks of all", len(re.findall(r"^greenlet ", text, re.M)), 1 + EACH * len(KINDS))
    expect("no such greenlet", program.ask(gev, "bt", "9999", status=1), "error: there is no such greenlet\n")
    rows = list(map(json.loads, program.ask(gev, "bt", "--json").splitlines()))[1:]
    for row in rows[1:]:
        if row["name"] not in (row["entry"], "first") or row["moved"] or f"{row['entry']}+0x" not in row["frames"][1]["at"]:
            failures.append(f"stack in JSON: {row}")


def case_picture(gev, patch, fixture):
    with Program([fixture, str(EACH)], patch, GEV_CONTROL="1") as p:
        check_ps(p, gev)
        check_ps(p, gev) # what the first has mapped of the program's file is no part of the program
        check_ps_json(p, gev)
        check_bt(p, gev)
        expect("said on standard error", p.stderr(), "")
        place = pathlib.Path(p.folder.name, "gev", f"{p.pid}.sock")
        expect("the socket's mode", stat.S_IMODE(place.stat().st_mode), 0o600)
        expect("its folder's mode", stat.S_IMODE(place.parent.stat().st_mode), 0o700)
        numbers = sorted(int(n) for n in os.listdir(f"/proc/{p.pid}/fd") if int(n) < 1000)
        expect("descriptors that the program would not have natively", numbers, [0, 1, 2, 3, 4, 5])
        expect("exit status", p.end(), 0)
        expect("the socket is gone", place.exists(), False)


def case_malloc(gev, patch, fixture, own):
    """Stacks and lines also in a program with a malloc of its own, which takes back nothing that it has not given out."""
    with Program([fixture, "1"], f"{patch}:{own}", GEV_CONTROL="1", GEV_STATS="1") as p:
        for _ in range(2):
            frames = p.ask(gev, "bt", "2").splitlines()[1:]
            matches("its own function", frames[1], r"  #1 sleeper\+0x[0-9a-f]+ picture\.c:\d+ \(watch_picture\)")
        expect("exit status", p.end(), 0)
        expect("first line of statistics", p.stderr().splitlines()[0], f"libgev statistics of process {p.pid}")


def case_lines(gev, patch, fixture):
    """Lines also where no .debug_aranges say to which unit an address belongs: clang leaves them out."""
    with tempfile.TemporaryDirectory() as folder:
        without = pathlib.Path(folder, "watch_picture")
        subprocess.run(["objcopy", "--remove-section=.debug_aranges", fixture, without], check=True)
        with Program([str(without), str(EACH)], patch, GEV_CONTROL="1") as p:
            check_bt(p, gev)


def case_bare(gev, patch, fixture):
    """Without libdw: names by the dynamic linker, and what frame pointers lead to."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "libdw.so.1").write_bytes(b"")
        with Program([fixture, "1"], patch, GEV_CONTROL="1", GEV_DUMP="USR2", LD_LIBRARY_PATH=folder) as p:
            expect("libdw is not loaded", "/libdw" in pathlib.Path(f"/proc/{p.pid}/maps").read_text(), False)
            lines = p.ask(gev, "bt").splitlines()
            expect("lines", len(lines), 2 * 12 + 1)
            for frame in lines[1:-1:2]:
                matches("the place where it waits", frame, r"  #0 \S+ \(libgev\.so\S*\)")
            matches("what a greenlet waits for", lines[8], rf"greenlet 5 \(watch_picture\+{A}\) waits for mutex watch_picture\+{A}, held by 1 \(main\), since {TIME}, made by 1")
            expect("last line", lines[-1], "(stacks end early, and names are few: libdw of elfutils cannot be used here)")
            p.process.send_signal(signal.SIGUSR2)
            p.says(r"greenlet 12 [^\n]*\n")
            expect("exit status", p.end(), 0)


def case_plusplus(gev, patch, fixture):
    with Program([fixture], patch, GEV_CONTROL="1") as p:
        text = p.ask(gev, "bt", "2")
        if not re.search(r"waits for mutex bank::vault, held by 1 \(main\)", text) or " bank::account::pay(int)+0x" not in text:
            failures.append(f"names of C++: {text}")
        expect("exit status", p.end(), 0)


def case_dropped(gev, patch, fixture):
    """A process that has given its rights up is found, and its stacks are read."""
    # Who is not root may not look at such a process; and nobody must find the program and the library.
    if os.geteuid() != 0 or subprocess.run(["test", "-r", fixture, "-a", "-r", patch], user=65534, check=False).returncode != 0:
        sys.exit(77)
    with Program([fixture, "1", "dropped"], patch, GEV_CONTROL="1") as p:
        frames = p.ask(gev, "bt", "2").splitlines()[1:]
        matches("its own function", frames[1], r"  #1 sleeper\+0x[0-9a-f]+ picture\.c:\d+ \(watch_picture\)")
        expect("exit status", p.end(), 0)


def case_dump(gev, patch, fixture):
    with Program([fixture, str(EACH)], patch, GEV_DUMP="SIGUSR2") as p:
        p.process.send_signal(signal.SIGUSR2)
        total = 1 + EACH * len(KINDS)
        text = p.says(rf"greenlet {total} [^\n]*\n[^\n]*\n[^\n]*picture\.c:\d+ \(watch_picture\)\n")
        expect("first line", text.splitlines()[0], f"libgev: {total} greenlets of process {p.pid}")
        for index in (1, 2, 40, total):
            kind, name = who(index)
            matches(f"dump of {kind}", re.search(rf"^greenlet {index} .*$", text, re.M)[0],
                    rf"greenlet {index} \({name}\) waits for {waits_for(index, p.ready[2])}, since {TIME}(, made by 1)?")
        expect("exit status", p.end(), 0)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "dump")
        with Program([fixture, "1"], patch, GEV_DUMP=f"USR1,{file}") as p:
            p.process.send_signal(signal.SIGUSR1)
            until = time.monotonic() + LIMIT
            while not (file.exists() and "\ngreenlet 12 " in file.read_text()) and time.monotonic() < until:
                time.sleep(0.02)
            expect("exit status with a file", p.end(), 0)
            expect("standard error with a file", p.stderr(), "")
        expect("the file's first line", file.read_text().splitlines()[0], f"libgev: 12 greenlets of process {p.pid}")
    with Program([fixture, "1"], patch, GEV_DUMP="TEATIME") as p:
        expect("a wrong signal", p.stderr(), "libgev: GEV_DUMP=TEATIME: wanted is a signal that can be caught, such as "
               "SIGUSR2, or SIGUSR2,FILE; taking none\n")


def case_stats(gev, patch, fixture):
    with Program([fixture, str(EACH)], patch, GEV_STATS="1", GEV_CONTROL="1") as p:
        text = p.ask(gev, "stats")
        expect("exit status", p.end(), 0)
        for what, seen in (("while it runs", text), ("at exit", p.stderr())):
            lines = seen.splitlines()
            expect(f"heading {what}", lines[0], f"libgev statistics of process {p.pid}")
            expect(f"greenlets {what}", lines[1], "  greenlets              331, at most 331 at once, 331 now")
            for line, form in zip(lines[2:6], [r"  switches +\d+", r"  looks outside +\d+", rf"  longest turn +{TIME}",
                                               rf"  longest run +{TIME}, greenlet \d+ \(\S+\)"]):
                matches(f"a line {what}", line, form)
            for kind in KINDS:
                if not re.search(rf"  {kind}, made {EACH} times, stack at a switch at most \d", seen):
                    failures.append(f"function {kind} {what}: {seen}")
    with Program([fixture, "2"], patch, GEV_STATS="json") as p:
        expect("exit status", p.end(), 0)
        seen = json.loads(p.stderr())
        expect("counts in JSON", [seen["made"], seen["peak"], seen["live"], seen["stalls"]], [23, 23, 23, 0])
        expect("functions in JSON", [(e["entry"], e["made"]) for e in seen["by_entry"]], [("main", 1)] + [(k, 2) for k in KINDS])
    with Program([fixture, "1"], patch, GEV_STATS="tea") as p:
        expect("a wrong value", p.stderr(),
               "libgev: GEV_STATS=tea: wanted is 0|1|text|json, or the last two and a file: json,FILE; taking 0\n")


def burnt(program, gev, computes):
    """The run that goes on is counted too; as CPU time only as far as the processor had to do with it."""
    row = next(r for r in map(json.loads, program.ask(gev, "ps", "--json").splitlines()[1:]) if r["id"] == 3)
    # It has held the hub for 50 ms at least, or the monitor would not have spoken.
    if row["ran_ns"] < 50_000_000 or (row["cpu_ns"] < row["ran_ns"] / 100 if computes else row["cpu_ns"] > row["ran_ns"] / 2):
        failures.append(f"time of one that {'computes' if computes else 'sits in a call'}: {row}")


def case_stuck(gev, patch, fixture):
    options = {"GEV_MONITOR": "1", "GEV_MAX_BLOCKING": "50ms", "GEV_CONTROL": "1", "GEV_SLICE": "off"}
    with Program([fixture, "compute"], patch, **options) as p:
        text = p.says(r"#\d+ computes\+")
        lines = text.splitlines()
        matches("the monitor's line", lines[0], rf"libgev: greenlet 3 \(stuck one\) computes: no other has run for {TIME}")
        matches("where it computes", lines[1], r"  #0 spin\+0x[0-9a-f]+ stuck\.c:\d+ \(watch_stuck\)")
        matches("who called", lines[2], r"  #1 computes\+0x[0-9a-f]+ stuck\.c:\d+ \(watch_stuck\)")
        # It answers although the hub does not turn.
        matches("ps of one that runs", p.ask(gev, "ps").splitlines()[3], r" +3 runs +- +\d+ +\S+ +\S+ +- +1  stuck one +-")
        burnt(p, gev, True)
        heading, *frames = p.ask(gev, "bt", "3").splitlines()
        expect("heading of one that runs", heading, "greenlet 3 (stuck one) runs, made by 1")
        matches("its innermost frame", frames[0], r"  #0 spin\+0x[0-9a-f]+ stuck\.c:\d+ \(watch_stuck\)")
        expect("counted", json.loads(p.ask(gev, "stats", "--json"))["stalls"], 1)
        expect("said once", p.stderr(), text)
    with Program([fixture, "call"], patch, **options) as p:
        text = p.says(r"has run for [^\n]*\n  #0 [^\n]*\n")
        matches("the monitor's line", text.splitlines()[0],
                rf"libgev: greenlet 3 \(stuck one\) sits in the system call openat2: no other has run for {TIME}")
        heading, *frames = p.ask(gev, "bt", "3").splitlines()
        expect("the call in bt", frames[0], "  in the system call openat2")
        burnt(p, gev, False)
        matches("the frame of the call", frames[1], r"  #0 \S*syscall\S* .*\(libc\.so\.6\)")
    with Program([fixture, "compute"], patch, GEV_MONITOR="once", GEV_MAX_BLOCKING="50ms", GEV_SLICE="off") as p:
        matches("one line", p.says(r"\n"), rf"libgev: greenlet 3 \(stuck one\) computes: no other has run for {TIME}\n")


def case_sliced(gev, patch, fixture):
    """What a thread computes from one time slice to the next is counted as its own."""
    with Program([fixture, "compute"], patch, GEV_CONTROL="1") as p:
        until = time.monotonic() + LIMIT
        row = {"ran_ns": 0}
        while row["ran_ns"] < 200_000_000 and time.monotonic() < until:
            row = next(r for r in map(json.loads, p.ask(gev, "ps", "--json").splitlines()[1:]) if r["id"] == 3)
        if row["ran_ns"] < 200_000_000 or row["cpu_ns"] <= 0 or row["switches"] == 0:
            failures.append(f"time of one that computes: {row}")


def case_deadlock(gev, patch, fixture):
    held = rf"mutex lock_%s, held by %d \(%s\)"
    with Program([fixture, "two"], patch, GEV_MONITOR="1") as p:
        text = p.says(r"#1 second\+[^\n]*\n")
        matches("two", text,
                r"libgev: deadlock: 2 greenlets wait for one another\n"
                rf"greenlet 2 \(first\) waits for {held % ('b', 3, 'second')}, made by 1\n"
                r"  #0 [^\n]*\(libpatch\.so\)\n  #1 first\+0x[0-9a-f]+ deadlock\.c:\d+ \(watch_deadlock\)\n"
                rf"greenlet 3 \(second\) waits for {held % ('a', 2, 'first')}, made by 1\n"
                r"  #0 [^\n]*\(libpatch\.so\)\n  #1 second\+0x[0-9a-f]+ deadlock\.c:\d+ \(watch_deadlock\)\n")
        expect("it hangs, as natively", p.process.poll(), None)
    with Program([fixture, "self"], patch, GEV_MONITOR="1") as p:
        text = p.says(r"#1 selfish\+[^\n]*\n")
        matches("one, beside another that goes on", text,
                r"libgev: deadlock: a greenlet waits for itself\n"
                rf"greenlet 2 \(selfish\) waits for {held % ('a', 2, 'selfish')}, made by 1\n"
                r"  #0 [^\n]*\(libpatch\.so\)\n  #1 selfish\+0x[0-9a-f]+ deadlock\.c:\d+ \(watch_deadlock\)\n")
    with Program([fixture, "join"], patch, GEV_MONITOR="1", GEV_DUMP="USR2") as p:
        text = p.says(r"#1 holder\+[^\n]*\n")
        matches("a lock and an end", text,
                r"libgev: deadlock: 2 greenlets wait for one another\n"
                rf"greenlet 1 \(main\) waits for {held % ('a', 2, 'holder')}, since {TIME}\n"
                r"  #0 [^\n]*\(libpatch\.so\)\n  #1 main\+0x[0-9a-f]+ deadlock\.c:\d+ \(watch_deadlock\)\n"
                rf"greenlet 2 \(holder\) waits for the end of 1 \(main\), since {TIME}, made by 1\n"
                r"  #0 [^\n]*\(libpatch\.so\)\n  #1 holder\+0x[0-9a-f]+ deadlock\.c:\d+ \(watch_deadlock\)\n")
        p.process.send_signal(signal.SIGUSR2)
        matches("in a dump", p.says(r"deadlock: 2 [^\n]*\n  1 [^\n]*\n  2 [^\n]*\n")[len(text):].splitlines()[-2],
                rf"  1 \(main\) waits for {held % ('a', 2, 'holder')}")


    with Program([fixture, "all"], patch, GEV_MONITOR="1") as p:
        matches("nobody left to wake", p.says(r"#1 waiter\+[^\n]*\n"),
                r"libgev: deadlock: all 2 greenlets wait for one another; only a signal could wake one\n"
                r"greenlet 1 \(main\) waits for the end of 2 \(waiter\)\n"
                r"  #0 [^\n]*\(libpatch\.so\)\n  #1 main\+0x[0-9a-f]+ deadlock\.c:\d+ \(watch_deadlock\)\n"
                rf"greenlet 2 \(waiter\) waits for condition condition, made by 1\n"
                r"  #0 [^\n]*\(libpatch\.so\)\n  #1 waiter\+0x[0-9a-f]+ deadlock\.c:\d+ \(watch_deadlock\)\n")


def case_linked(gev, patch, fixture):
    for preload in (None, patch):
        with Program([fixture], preload, GEV_CONTROL="1", GEV_STATS="json") as p:
            lines = p.ask(gev, "ps").splitlines()[1:]
            for line, form in zip(lines, [
                    rf" +1 waits .* 0  main +descriptor 0 to read: pipe:\[\d+\]",
                    rf" +2 waits .* 1  long sleeper +time, {TIME} left",
                    r" +3 waits .* 1  receiver +descriptor \d+ to read: unix socket unnamed, peer unnamed",
                    r" +4 waits .* 1  joiner +the end of 2 \(long sleeper\)"]):
                matches("ps of a linked program", line, form)
            text = p.ask(gev, "bt", "3")
            if not re.search(r"  #0 gev_recv\+.*\(libgev\.so[.0-9]*\)\n  #1 receiver\+0x[0-9a-f]+ linked\.c:\d+ ", text):
                failures.append(f"stack of a linked program: {text}")
            expect("exit status", p.end(), 0)
            expect("made", json.loads(p.stderr())["made"], 4)


def case_outside(gev, patch, fixture):
    with Program([fixture, "waits"], None, GEV_CONTROL="1", GEV_OFFLOAD_THREADS="2") as p:
        child = p.ready[1]
        for line, form in zip(p.ask(gev, "ps").splitlines()[1:], [
                r" +1 waits .* main +descriptor 0 to read: pipe:.*",
                r" +2 waits .* dialer +the address of no\.such\.host\.example",
                r" +3 waits .* worker +the offloaded patient",
                r" +4 waits .* late +the offloaded patient, for which no thread is free",
                rf" +5 waits .* parent +the end of process {child}"]):
            matches("ps of who waits for something outside", line, form)
        rows = [json.loads(line)["waits"] for line in p.ask(gev, "ps", "--json").splitlines()[2:]]
        text = {"text": "the offloaded patient"}
        expect("in JSON", rows, [
            {"for": "name", "name": "no.such.host.example", "text": "the address of no.such.host.example"},
            {"for": "offload", "function": "patient"} | text,
            {"for": "offload", "function": "patient", "text": "the offloaded patient, for which no thread is free"},
            {"for": "process", "process": int(child), "text": f"the end of process {child}"}])
        expect("exit status", p.end(), 0)
    with Program([fixture, "idle"], patch, GEV_MONITOR="1") as p:
        matches("all wait, beside an idle thread of the offload", p.says(r"#1 waiter\+[^\n]*\n").splitlines()[0],
                r"libgev: deadlock: all 2 greenlets wait for one another; only a signal could wake one")
    for options in ({}, {"GEV_MONITOR": "1"}, {"GEV_CONTROL": "1"}):
        with Program([fixture, "end"], None, **options) as p:
            expect(f"main is told of a deadlock, with {options}", p.ready, ["ready", "1"])


def case_lookup(gev, patch, fixture, slow_names):
    with Program([fixture], f"{patch}:{slow_names}", GEV_CONTROL="1") as p:
        lines = p.ask(gev, "ps").splitlines()
        matches("ps of a thread that looks a name up", lines[2], r" +2 waits .* lookup +the address of no\.such\.host\.example")
        matches("ps of one that waits for a file's lock", lines[3], r" +3 waits .* lock +the system call flock, made by a real thread")
        expect("its stack", "lookup.c:" in p.ask(gev, "bt", "2"), True)
        expect("exit status", p.end(), 0)


def case_nothing(gev, patch, fixture):
    with Program([fixture, "2"], patch) as p:
        expect("OS threads", os.listdir(f"/proc/{p.pid}/task"), [str(p.pid)])
        expect("files", os.listdir(p.folder.name), [])
        message = p.ask(gev, "ps", status=1)
        expect("no socket", message, f"gev: process {p.pid} has no control socket: start it with GEV_CONTROL=1; it is there "
               "when the first thread is made\n")
        maps = pathlib.Path(f"/proc/{p.pid}/maps").read_text()
        expect("libdw is not loaded", "libdw" in maps, False)
        expect("exit status", p.end(), 0)
        expect("standard error", p.stderr(), "")
    gone = subprocess.run([gev, "ps", str(p.pid)], capture_output=True, text=True)
    expect("no process", (gone.returncode, gone.stderr), (1, f"gev: there is no process {p.pid}\n"))
    for arguments in (["ps"], ["ps", "tea"], ["ps", "1", "2"], ["bt", "1", "x"], ["stats", "0"]):
        done = subprocess.run([gev, *arguments], capture_output=True, text=True)
        expect(f"misuse {arguments}", done.returncode, 125)


TRACE = """\
1 main: socketpair(domain=1, type=1, protocol=0, fds) = 0
1 main: pthread_mutex_lock(mutex) = 0
1 main: pthread_create(thread, attr=NULL, entry, arg=NULL) = 0
2 worker: pthread_setname_np(thread, name="worker") = 0
1 main: nanosleep(want=0.001000000 s, left=NULL) = 0, parked
1 main: pthread_mutex_unlock(mutex) = 0
1 main: send(fd=4, buf, n=5, flags=0) = 5
2 worker: pthread_mutex_lock(mutex) = 0, parked
2 worker: recv(fd=3, buf, n=100, flags=0) = 5
2 worker: pthread_mutex_unlock(mutex) = 0
1 main: pthread_join(thread, value=NULL) = 0, parked
1 main: close(fd=3) = 0
1 main: close(fd=3) = -1 EBADF
1 main: pthread_mutex_trylock(mutex) = 0
"""


def run(fixture, patch, **environment):
    done = subprocess.run([fixture], env={"LD_PRELOAD": patch} | environment, capture_output=True, text=True, timeout=LIMIT)
    expect(f"exit status with {environment}", (done.returncode, done.stdout), (0, ""))
    return done.stderr


def case_trace(gev, patch, fixture):
    expect("all", run(fixture, patch, GEV_TRACE="all", GEV_TRACE_PLAIN="1"), TRACE)
    some = "".join(line for line in TRACE.splitlines(True) if "mutex" in line or "nanosleep" in line)
    expect("some", run(fixture, patch, GEV_TRACE="sync,time", GEV_TRACE_PLAIN="1"), some)
    for line, plain in zip(run(fixture, patch, GEV_TRACE="all").splitlines(), TRACE.splitlines()):
        # A pointer has a value, and what was parked a time.
        form = re.sub(r"\b(fds|mutex|thread|entry|buf)(?=,|\\\))", rf"\1={A}", re.escape(plain).replace(r"\ ", " "))
        matches("with times", line, r"\d+\.\d{6} " + form.replace(", parked", r", parked \d+\.\d{3} ms"))
    expect("nothing asked for", run(fixture, patch), "")
    passed = json.loads(run(fixture, patch, GEV_STATS="json"))["passed_through"]
    expect("passed through while another was ready", passed, [{"symbol": "dl_iterate_phdr", "calls": 1}])


def case_identity(gev, patch, fixture):
    """The watcher's thread does not hold up setuid(2) and its family, which libc makes on all threads."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([fixture], env={"LD_PRELOAD": patch, "GEV_CONTROL": "1", "XDG_RUNTIME_DIR": folder}, capture_output=True,
                              text=True, timeout=LIMIT)
        expect("setuid beside a watcher", (done.returncode, done.stdout, done.stderr), (0, "main 0\ngreen 0\n", ""))


def case_child(gev, patch, fixture):
    with Program([fixture], patch, GEV_CONTROL="1") as p:
        parent, p.pid = p.pid, int(p.ready[1])
        lines = p.ask(gev, "ps").splitlines()[1:]
        expect("greenlets of the child", [line.split()[8] for line in lines], ["main", "of_the_child"])
        p.pid = parent
        lines = p.ask(gev, "ps").splitlines()[1:]
        expect("greenlets of the parent", len(lines), 2)
        # Now and then it looks whether the child lets itself be traced.
        matches("what the parent waits for", lines[0], rf" +1 (waits .* main +the end of process {p.ready[1]}(, {TIME} left)?|(ready|runs) .*)")
        expect("exit status", p.end(), 0)


def case_probes(gev, patch, library):
    notes = subprocess.run(["readelf", "-n", library], capture_output=True, text=True, check=True).stdout
    expect("probes", sorted(set(re.findall(r"Provider: gev\n +Name: (\w+)", notes))),
           ["create", "exit", "park", "start", "turn", "wake"])


CASES = {name[5:]: case for name, case in globals().items() if name.startswith("case_")}

if __name__ == "__main__":
    CASES[sys.argv[1]](*sys.argv[2:])
    print("\n".join(failures) or "as wanted")
    sys.exit(1 if failures else 0)

#!/usr/bin/env python3
"""gdb sees greenlets: gdb_greenlets.py GDB BUILD HANG PICTURE BUSY LIBPATCH STRIP.

Attaches gdb to a program with three hundred threads whose places are known, and to a hung one, looks at a core file of it, and at one whose libraries have no symbols and no debug information; gdb must have
loaded the helper by itself. Ends with 77, "skipped", where gdb may not attach or has no Python.
"""
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from hung import hung

failures = 0

HERE = r"0x[0-9a-f]+ in "
FILE = r"(?:\S*/)?bank\.c:\d+"
LIST = [r"  1     parked   main             main at " + FILE,
        r"  2     parked   \S+ +move_money at " + FILE,
        r"  3     parked   \S+ +move_money at " + FILE,
        r"  4     parked   \S+ +clerk at " + FILE]
SCRIPT = ["info greenlets", "echo --\\n", "greenlet", "greenlet 2", "echo --\\n", "bt", "echo --\\n", "up", "greenlet", "echo --\\n",
          "greenlet apply all bt", "echo --\\n", "greenlet apply 4 3 frame", "echo --\\n", "greenlet 9", "greenlet off", "greenlet"]


def expect(what, fits, got=None):
    global failures
    failures += not fits
    print(f"{'ok' if fits else 'NOT OK'}: {what}" + ("" if fits or got is None else f": {got!r}"))


def lines_fit(what, lines, patterns):
    expect(what, len(lines) == len(patterns) and all(map(re.fullmatch, patterns, lines)), lines)


def gdb(command, trusted, *arguments, script=SCRIPT):
    words = [command, "-nx", "-batch", "-iex", f"add-auto-load-safe-path {trusted}", "-iex", "set width 0", *arguments]
    for line in script:
        words += ["-ex", line]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    return done.stdout, done.stderr


def frames(text):
    """Of each line of a backtrace that has one, the function; gdb says the address where it is not a line's first."""
    return re.findall(rf"^#\d+ +(?:{HERE})?([\w.]*) ?\(", text, re.M)


def looks_right(what, out, error, symbols=True):
    # gdb says a lot before: all of ours comes after it.
    parts = out.split("--\n")
    expect(f"{what}: gdb went through the script", len(parts) == 7, (out, error))
    if len(parts) != 7:
        return
    listing, selected, trace, above, everybody, two, last = parts
    lines_fit(f"{what}: info greenlets", listing.splitlines()[-4:], LIST)
    said = selected.splitlines()
    expect(f"{what}: greenlet, before one is selected", said[0] == "[No greenlet selected; frames are the thread's]", said)
    expect(f"{what}: greenlet 2", re.fullmatch(r'\[Switching to greenlet 2 "\S+", parked\]', said[1]), said)
    expect(f"{what}: its frame", re.match(rf"#\d+ +{HERE}move_money \(", said[2]), said)
    names = frames(trace)
    expect(f"{what}: bt has the program's frames", [n for n in names if n in ("move_money", "accountant", "auditor", "main")] ==
           ["move_money", "accountant"], names)
    if symbols:
        expect(f"{what}: bt begins at the switch, and ends where greenlets begin",
               ("gev__context_switch" in names[:2], "first_frame" in names), trace)
    expect(f"{what}: no frame of the thread's own", not re.search(r"^#0 ", trace, re.M), trace)
    expect(f"{what}: up", "accountant" in above, above)
    expect(f"{what}: the selected one stays", "[Current greenlet is 2]" in above, above)
    titles = re.findall(r'^Greenlet (\d) "\S+" \(parked\):$', everybody, re.M)
    expect(f"{what}: greenlet apply all", titles == ["1", "2", "3", "4"], everybody)
    wanted = [n for n in frames(everybody) if n in ("accountant", "auditor", "clerk", "main")]
    expect(f"{what}: all of their stacks", wanted == ["main", "accountant", "auditor", "clerk"], everybody)
    expect(f"{what}: greenlet apply 4 3", [n for n in frames(two) if n] == ["clerk", "move_money"], two)
    expect(f"{what}: greenlet 9", "No greenlet 9; `info greenlets` lists them." in error, error)
    expect(f"{what}: greenlet off", "\n[No greenlet selected; frames are the thread's]\n" in last, last)


def three_hundred(command, build, program, patch):
    """Thirty threads of each kind, each parked in its own function; they are numbered as they were made, and "first" is the first."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GEV_")}
    with subprocess.Popen([program, "30"], env={**environment, "LD_PRELOAD": patch}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        expect("picture: it is ready", process.stdout.readline().startswith("ready "))
        until_it_sleeps(process.pid)
        out, _ = gdb(command, build, "-p", str(process.pid), script=["echo --\\n", "info greenlets", "greenlet 2"])
        process.stdin.close()
    listing = re.findall(r"^  (\d+) +(\w+) +(\S+) +(\w+) at \S*picture\.c:\d+$", out.partition("--\n")[2], re.M)
    places = [(name, len(list(rows))) for name, rows in itertools.groupby(row[3] for row in listing)]
    expect("picture: all of them, in order", len(listing) > 300 and [int(row[0]) for row in listing] == list(range(1, len(listing) + 1)),
           out[-2000:])
    expect("picture: where each stands", places[:3] == [("main", 1), ("sleeper", 30), ("reader", 30)], places)
    expect("picture: thirty of each kind", {n for _, n in places[1:]} == {30} and len(places) == len(set(places)), places)
    expect("picture: all are parked", {row[1] for row in listing[1:]} == {"parked"}, listing)
    expect("picture: a name", [row[0] for row in listing if row[2] == "first"] == ["2"], listing)
    expect("picture: the first", '[Switching to greenlet 2 "first", parked]' in out, out[-500:])


def computing(command, build, program, patch):
    """Threads that were taken off in the middle of their own code: their stacks go on behind the signal's frame."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GEV_")}
    with subprocess.Popen([program], env={**environment, "LD_PRELOAD": patch}, stdout=subprocess.PIPE, text=True) as process:
        expect("computing: it is ready", process.stdout.readline() == "ready\n")
        out, _ = gdb(command, build, "-p", str(process.pid), script=["echo --\\n", "info greenlets", "greenlet apply all bt"])
        process.kill()
    text = out.partition("--\n")[2]
    listing = re.findall(r"^  (\d+) +(\w+) +(\S+) +(\w+) at \S*busy\.c:\d+$", text, re.M)
    expect("computing: where each stands", [row[3] for row in listing] == ["main"] + ["crunch"] * 4, text)
    expect("computing: they run or could", {row[1] for row in listing[1:]} <= {"running", "ready"}, text)
    expect("computing: whole stacks", [n for n in frames(text) if n in ("crunch", "work")] == ["crunch", "work"] * 4, text)


def until_it_sleeps(pid):
    """Until main sleeps: then it waits for its standard input, and all others wait already."""
    status = pathlib.Path(f"/proc/{pid}/stat")
    while status.read_text().rsplit(")", 1)[1].split()[0] != "S":
        os.sched_yield()


def stripped(build, strip, folder):
    """The libraries without symbols and debug information, laid out as in the build tree."""
    for part in ("lib", "shim"):
        (folder / part).mkdir()
    shutil.copy(build / "shim/libpatch.so", folder / "shim")
    for path in (build / "lib").glob("libgev.so*"):
        if path.is_file():
            shutil.copy(path, folder / "lib", follow_symlinks=False)
    for path in ("shim/libpatch.so", "lib/libgev.so"):
        subprocess.run([strip, os.path.realpath(folder / path)], check=True)
    return str(folder / "shim/libpatch.so")


def main(command, build, program, picture, busy, patch, strip):
    build = pathlib.Path(build)
    if gdb(command, build, script=["python print('here')"])[0].strip() != "here":
        print("this gdb has no Python")
        return 77
    with hung(program, patch) as process:
        out, error = gdb(command, build, "-p", str(process.pid))
        if "Operation not permitted" in error:
            print("gdb may not attach here")
            return 77
        looks_right("live", out, error)
    three_hundred(command, build, picture, patch)
    computing(command, build, busy, patch)
    with tempfile.TemporaryDirectory() as name:
        core = pathlib.Path(name, "core")
        # gdb's gcore stops at guard pages that only the kernel knows of; one's own core dumps have no such trouble.
        with hung(program, patch, GEV_GUARD="0") as process:
            gdb(command, build, "-p", str(process.pid), script=[f"generate-core-file {core}"])
        looks_right("core", *gdb(command, build, program, str(core)))
        folder = pathlib.Path(name, "stripped")
        folder.mkdir()
        with hung(program, stripped(build, strip, folder)) as process:
            looks_right("stripped", *gdb(command, folder.resolve(), "-p", str(process.pid)), symbols=False)
        expect("without libgev", "No libgev in this process." in
               gdb(command, build, program, script=[f"source {next((build / 'lib').glob('*-gdb.py'))}", "info greenlets"])[1])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(os.path.realpath, sys.argv[2:])))

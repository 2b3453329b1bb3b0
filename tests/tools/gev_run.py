#!/usr/bin/env python3
"""`gev run`: gev_run.py GEV LIBPATCH HOST STATIC SINGLE OBJCOPY.

HOST is a dynamically linked program that prints LD_PRELOAD, its process id, the GEV_ variables and its arguments, and ends with the
status in $STATUS; STATIC is the same, statically linked; SINGLE never makes a thread.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from expect import expect, failures


def run(*command, **variables):
    """(status, standard output, standard error)"""
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD" and not key.startswith("GEV_")}
    done = subprocess.run(command, env={**environment, **variables}, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def refuses(what, status, word, got):
    """gev ended with that status, the program printed nothing, and gev said the word, once."""
    expect(f"{what}: refused", (got[0], got[1], got[2].count("\n")), (status, "", 1))
    expect(f"{what}: the reason", got[2].startswith("gev: ") and word in got[2], True)


def runs(gev, patch, host):
    print_all = ["preload", "arguments"]

    def shown(*command, **variables):
        status, out, error = run(*command, **variables)
        lines = dict(line.split("=", 1) for line in out.splitlines())
        return status, [lines.get(key) for key in print_all], error

    expect("the shim is preloaded, arguments pass", shown(gev, "run", host, "a b", "--help"), (0, [patch, "a b|--help|"], ""))
    expect("-- ends gev's own options", shown(gev, "run", "--", host, "-x"), (0, [patch, "-x|"], ""))
    expect("what was preloaded stays, behind ours", shown(gev, "run", host, LD_PRELOAD="/lib/none1.so /lib/none2.so")[1],
           [f"{patch}:/lib/none1.so /lib/none2.so", ""])
    expect("the shim is not put in twice", shown(gev, "run", gev, "run", host)[:2], (0, [patch, ""]))
    expect("the program's status is gev's", run(gev, "run", host, STATUS="7")[0], 7)
    expect("126 of the program's own", run(gev, "run", host, STATUS="126")[0], 126)

    process = subprocess.Popen([gev, "run", host], stdout=subprocess.PIPE, text=True)
    out, _ = process.communicate(timeout=120)
    expect("the process id stays", f"pid={process.pid}\n" in out, True)
    folder, name = os.path.split(host)
    expect("a bare name is found by PATH", shown(gev, "run", name, PATH=f"/nonexistent:{folder}")[0], 0)
    expect("an empty part of PATH is the current folder",
           subprocess.run([gev, "run", name], cwd=folder, env={"PATH": "/nonexistent:"}, stdout=subprocess.DEVNULL).returncode, 0)


def options(gev, host):
    def shown(*command, **variables):
        status, out, error = run(gev, "run", *command, host, **variables)
        lines = dict(line.split("=", 1) for line in out.splitlines())
        return lines.get("options"), error

    known = set(re.findall(r"^GEV_\w+", run(gev, "env")[1], re.M))
    if "GEV_MONITOR" in known:
        expect("by default the monitor speaks once", shown(), ("GEV_MONITOR=once|", ""))
    expect("the environment's word stays", shown(GEV_MONITOR="0"), ("GEV_MONITOR=0|", ""))
    for words, wanted in (
            (["--stats"], "GEV_STATS=1"),
            (["--monitor"], "GEV_MONITOR=1"),
            (["--monitor=25"], "GEV_MAX_BLOCKING=25ms|GEV_MONITOR=1"),
            (["--no-monitor"], "GEV_MONITOR=0"),
            (["--trace"], "GEV_TRACE=all"),
            (["--trace=io,sync"], "GEV_TRACE=io,sync"),
            (["--resolver=thread"], "GEV_RESOLVER=thread"),
            (["--stack-size=64k"], "GEV_THREAD_STACK_SIZE=64k"),
            (["--stack-size", "1M"], "GEV_THREAD_STACK_SIZE=1M"),
            (["--only=io,socket"], "GEV_ONLY=io,socket"),
            (["--except=time"], "GEV_EXCEPT=time"),
            (["--no-follow", "--except=io"], "GEV_EXCEPT=io|GEV_FOLLOW=0")):
        missing = [name for name in re.findall(r"GEV_\w+", wanted) if name not in known]
        if missing:
            word = words[0].split("=")[0]
            status, out, error = run(gev, "run", *words, host)
            expect(f"run {' '.join(words)}: not in this libgev",
                   (status, out, error.startswith(f"gev: run: {word}: this libgev has no GEV_")), (125, "", True))
            continue
        got = shown(*words)
        plain = sorted(set(got[0].rstrip("|").split("|")) - {"GEV_MONITOR=once"})
        said = re.sub(r"^\d+\.\d+ \d+ main: fputc\(.*\n", "", got[1], flags=re.M)  # the host's own, where they are traced
        expect(f"run {' '.join(words)}", ("|".join(plain), said), (wanted, ""))
    for word, wanted in (
            ("--stack-size=9x", "0..1T"),
            ("--stack-size=-1", "0..1T"),
            ("--stack-size=2T", "0..1T"),
            ("--only=thread", "a list, by commas, of time|io|socket|poll"),
            ("--except=time,pipe", "a list, by commas, of time|io|socket|poll")):
        expect(f"run {word}", run(gev, "run", word, host), (125, "", f"gev: run: {word}: wanted is {wanted}\n"))


def what_options_do(gev, patch, host):
    def threads(*words, **variables):
        status, out, error = run(gev, "run", *words, host, "threads", **variables)
        return *out.rsplit(" ", 1), error

    size = str(96 * 1024)
    expect("a sleep lets others pass", threads()[0], "sleeps passes woke")
    expect("--except=time: it does not", threads("--except=time")[0], "sleeps woke passes")
    expect("--only=io,poll: nor then", threads("--only=io,poll")[0], "sleeps woke passes")
    expect("--only=time: but then", threads("--only=time")[0], "sleeps passes woke")
    expect("--stack-size", threads("--stack-size=96k")[1], size + "\n")
    expect("a wrong family in the environment", threads(GEV_EXCEPT="pipes,time")[::2],
           ("sleeps passes woke", "libpatch: GEV_EXCEPT=pipes,time: wanted is a list, by commas, of time|io|socket|poll; taking none\n"))

    def child(*words, **variables):
        status, out, error = run(gev, "run", *words, "/usr/bin/env", host, **variables)
        return out.splitlines()[0]

    expect("what it executes is patched too", child(), f"preload={patch}")
    expect("--no-follow: it is not", child("--no-follow"), "preload=")
    expect("--no-follow keeps what else was preloaded", child("--no-follow", LD_PRELOAD="/lib/none1.so /lib/none2.so"),
           "preload=/lib/none1.so:/lib/none2.so")


def environment(gev):
    status, out, error = run(gev, "env")
    expect("env", (status, error), (0, ""))
    entry = ("GEV_EXCEPT\n  Families of calls whose waiting is left to libc.\n"
             "  default: none; wanted: a list, by commas, of time|io|socket|poll\n")
    expect("env: a row, word by word", entry in out, True)
    expect("env: what is set", entry + "  set here: io\n" in run(gev, "env", GEV_EXCEPT="io")[1], True)
    status, out, error = run(gev, "env", GEV_EXCEPT="pipes")
    expect("env: what is wrong", (status, entry + "  set here: pipes, which is wrong: the default holds\n" in out), (1, True))
    for wrong in ({"GEV_SLICE": "1h"}, {"GEV_SLICE": "2us"}, {"GEV_STATS": "tea"}):
        expect(f"env: {wrong}", run(gev, "env", **wrong)[0], 1)
    for good in ({"GEV_SLICE": "off"}, {"GEV_SLICE": "20us"}, {"GEV_STATS": "json,/tmp/x"}, {"GEV_DUMP": "USR2"}, {"GEV_NATIVE": "f"}):
        expect(f"env: {good}", run(gev, "env", **good)[0], 0)
    expect("env with an argument", run(gev, "env", "x"), (125, "", "gev: env: it takes no arguments\n"))


def gains(gev, single, host, folder):
    expect("a program without threads is told so", run(gev, "run", single),
           (0, "alone\n", f"gev: '{single}' never makes a thread: there is nothing to gain\n"))
    script = folder / "single"
    script.write_text(f"#!{single}\n")
    script.chmod(0o755)
    expect("so is a script of one", run(gev, "run", script)[2],
           f"gev: '{script}' never makes a thread: there is nothing to gain\n")
    status, out, error = run(gev, "run", "/usr/bin/env", host)
    expect("a program that starts others", error,
           "gev: '/usr/bin/env' itself never makes a thread: only programs that it starts may gain\n")
    expect("with --no-follow they gain nothing either", run(gev, "run", "--no-follow", "/usr/bin/env", host)[2],
           "gev: '/usr/bin/env' never makes a thread: there is nothing to gain\n")
    expect("a program with threads is told nothing", run(gev, "run", host)[2], "")


def scripts(gev, patch, host, static, folder):
    def script(name, first_line):
        path = folder / name
        path.write_text(first_line)
        path.chmod(0o755)
        return str(path)

    fit = script("fit", f"#! {host} one\n")
    expect("a script by #!", run(gev, "run", fit)[1].splitlines()[-1], f"arguments=one|{fit}|")
    twice = script("twice", f"#!{fit}\n")
    expect("a script's script", run(gev, "run", twice)[0], 0)
    plain = script("plain", f"{host} from the shell\n")
    expect("a script without #!", run(gev, "run", plain)[1].splitlines()[-1], "arguments=from|the|shell|")
    by_name = script("by-name", f"#!/usr/bin/env {os.path.basename(static)}\n")
    refuses("a script of a static interpreter by env", 126, "statically linked",
            run(gev, "run", by_name, PATH=f"{os.path.dirname(static)}:{os.environ['PATH']}"))
    refuses("a script of a static interpreter", 126, "statically linked", run(gev, "run", script("unfit", f"#!{static}\n")))
    refuses("a script without interpreter", 127, "No such file", run(gev, "run", script("none", "#!/nonexistent/sh\n")))


def refusals(gev, host, static, objcopy, folder):
    refuses("a static program", 126, "statically linked", run(gev, "run", static))
    refuses("no such program", 127, "No such file", run(gev, "run", "no-such-program"))
    refuses("no such path", 127, "No such file", run(gev, "run", "./no/such/program"))
    refuses("a folder", 126, "Permission denied", run(gev, "run", str(folder)))

    closed = folder / "closed"
    shutil.copy(host, closed)
    closed.chmod(0o644)
    refuses("a file that is not executable", 126, "Permission denied", run(gev, "run", str(closed)))
    refuses("the same by PATH", 126, "Permission denied", run(gev, "run", "closed", PATH=str(folder)))

    go = folder / "go"
    subprocess.run([objcopy, "--add-section", f".go.buildinfo={__file__}", host, go], check=True)
    refuses("a Go program", 126, "a Go program", run(gev, "run", str(go)))

    # The fields of the ELF header (elf(5)): byte 4 is the class, 18 and 19 the machine.
    for what, at, new in (("another class", 4, b"\x01"), ("another architecture", 18, b"\xf3\x00")):
        image = bytearray(pathlib.Path(host).read_bytes())
        assert image[at:at + len(new)] != new
        image[at:at + len(new)] = new
        other = folder / "other"
        other.write_bytes(image)
        other.chmod(0o755)
        refuses(what, 126, "another architecture", run(gev, "run", str(other)))

    image = pathlib.Path(host).read_bytes()
    start = image.index(b"/ld-linux")
    other.write_bytes(image[:start] + b"/ld-other" + image[start + 9:])
    refuses("another C library", 126, "another C library", run(gev, "run", str(other)))


def set_ids(gev, host, folder):
    """Files that change the user: as root made here; else one of the system's."""
    mine = folder / "mine"
    shutil.copy(host, mine)
    mine.chmod(0o4755)
    expect("set-user-ID to oneself changes nothing", run(gev, "run", str(mine))[0], 0)
    if os.getuid() == 0:
        for what, uid, gid, mode in (("set-user-ID", 65534, -1, 0o4755), ("set-group-ID", -1, 65534, 0o2755)):
            other = folder / what
            shutil.copy(host, other)
            os.chown(other, uid, gid)
            other.chmod(mode)
            refuses(what, 126, what, run(gev, "run", str(other)))
    else:
        system = next((path for path in ("/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd")
                       if os.path.exists(path) and os.stat(path).st_mode & 0o4000), None)
        if system:
            refuses("set-user-ID", 126, "set-user-ID", run(gev, "run", system, "--help"))


def misuse(gev):
    expect("--version", run(gev, "--version")[0], 0)
    expect("--help names run", "\n  run " in run(gev, "--help")[1], True)
    expect("help is --help", run(gev, "help"), run(gev, "--help"))
    for line in run(gev, "help")[1].splitlines():
        if line.startswith("  "):
            name = line.split()[0]
            status, out, error = run(gev, "help", name)
            expect(f"help {name}", (status, out.startswith(f"usage: gev {name}"), error), (0, True, ""))
    expect("run --help is help run", run(gev, "run", "--help"), run(gev, "help", "run"))
    expect("help of nothing", run(gev, "help", "fly"), (125, "", "gev: help: no command 'fly'; `gev help` lists them\n"))
    for what, command in (("no command", [gev]), ("an unknown command", [gev, "fly"]), ("an unknown option", [gev, "--fly"]),
                          ("run without a program", [gev, "run"]), ("run with an unknown option", [gev, "run", "--fly", "x"])):
        status, out, error = run(*command)
        expect(what, (status, out, bool(error)), (125, "", True))


def moved(gev, patch, host, folder):
    """A build tree is not tied to its place."""
    home = folder / "moved"
    for place, what in (("tools", gev), ("shim", patch)):
        (home / place).mkdir(parents=True)
        shutil.copy(what, home / place)
    expect("a moved build tree", f"preload={home}/shim/libpatch.so\n" in run(str(home / "tools/gev"), "run", host)[1], True)
    spaced = folder / "a b"
    home.rename(spaced)
    status, out, error = run(str(spaced / "tools/gev"), "run", host)
    expect("a name that LD_PRELOAD cannot hold", (status, out, "a space" in error), (125, "", True))


def main(gev, patch, host, static, single, objcopy):
    runs(gev, patch, host)
    options(gev, host)
    what_options_do(gev, patch, host)
    environment(gev)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        scripts(gev, patch, host, static, folder)
        refusals(gev, host, static, objcopy, folder)
        gains(gev, single, host, folder)
        set_ids(gev, host, folder)
        moved(gev, patch, host, folder)
    misuse(gev)
    return 1 if failures() else 0


if __name__ == "__main__":
    sys.exit(main(*map(os.path.realpath, sys.argv[1:])))

#!/usr/bin/env python3
"""The `gev` command: gev_run.py GEV LIBPATCH HOST STATIC.

HOST is a dynamically linked program that prints LD_PRELOAD, its process id and its arguments, and ends with the status in $STATUS;
STATIC is the same, statically linked.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

failures = 0


def expect(what, got, wanted):
    global failures
    fits = got == wanted
    failures += not fits
    print(f"{'ok' if fits else 'NOT OK'}: {what}" + ("" if fits else f": wanted {wanted!r}, got {got!r}"))


def run(*command, **variables):
    """(status, standard output, standard error)"""
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    done = subprocess.run(command, env={**environment, **variables}, capture_output=True, text=True, timeout=30)
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
    expect("the shim is not put in twice", shown(gev, "run", gev, "run", host), (0, [patch, ""], ""))
    expect("the program's status is gev's", run(gev, "run", host, STATUS="7")[0], 7)
    expect("126 of the program's own", run(gev, "run", host, STATUS="126")[0], 126)

    process = subprocess.Popen([gev, "run", host], stdout=subprocess.PIPE, text=True)
    out, _ = process.communicate(timeout=30)
    expect("the process id stays", f"pid={process.pid}\n" in out, True)
    folder, name = os.path.split(host)
    expect("a bare name is found by PATH", shown(gev, "run", name, PATH=f"/nonexistent:{folder}")[0], 0)
    expect("an empty part of PATH is the current folder",
           subprocess.run([gev, "run", name], cwd=folder, env={"PATH": "/nonexistent:"}, stdout=subprocess.DEVNULL).returncode, 0)


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
    refuses("a script of a static interpreter", 126, "statically linked", run(gev, "run", script("unfit", f"#!{static}\n")))
    refuses("a script without interpreter", 127, "No such file", run(gev, "run", script("none", "#!/nonexistent/sh\n")))


def refusals(gev, host, static, folder):
    refuses("a static program", 126, "statically linked", run(gev, "run", static))
    refuses("no such program", 127, "No such file", run(gev, "run", "no-such-program"))
    refuses("no such path", 127, "No such file", run(gev, "run", "./no/such/program"))
    refuses("a folder", 126, "Permission denied", run(gev, "run", str(folder)))

    closed = folder / "closed"
    shutil.copy(host, closed)
    closed.chmod(0o644)
    refuses("a file that is not executable", 126, "Permission denied", run(gev, "run", str(closed)))
    refuses("the same by PATH", 126, "Permission denied", run(gev, "run", "closed", PATH=str(folder)))

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
    expect("--help names run", "gev run" in run(gev, "--help")[1], True)
    expect("run --help", run(gev, "run", "--help")[0], 0)
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


def main(gev, patch, host, static):
    runs(gev, patch, host)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        scripts(gev, patch, host, static, folder)
        refusals(gev, host, static, folder)
        set_ids(gev, host, folder)
        moved(gev, patch, host, folder)
    misuse(gev)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*map(os.path.realpath, sys.argv[1:])))

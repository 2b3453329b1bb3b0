#!/usr/bin/env python3
"""`gev check`: gev_check.py GEV LIBPATCH PLAIN OPEN STATIC DUMP DISASSEMBLY.

PLAIN is all cooperative; OPEN imports dl_iterate_phdr, and uses a library that makes system calls past libc; STATIC is a static program.
DUMP prints the rows of the ledger. DISASSEMBLY: "yes" where gev was built with capstone.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from expect import expect, failures


def run(*command, **variables):
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    done = subprocess.run(command, env={**environment, **variables}, capture_output=True, text=True, timeout=150)
    return done.returncode, done.stdout, done.stderr


def without_counts(text):
    return re.sub(r"\d+", "N", text)


def words(gev, plain, opened, static, disassembly):
    blind = "" if disassembly else "; this gev cannot look for system calls past libc"
    expect("all cooperative", [*run(gev, "check", plain)[::2], without_counts(run(gev, "check", plain)[1].replace(plain, "P"))],
           [0, "", "P: cooperative: none of the N functions that it imports from libc keeps other threads waiting\n\n"
            f"N cooperative, N harmless, N not covered, in N files{blind}\n"])
    name = os.path.basename(opened)
    status, out, error = run(gev, "check", opened)
    expect("not covered", (status, error), (1, ""))
    past = ", and 2 system calls past libc" if disassembly else ""
    expect("not covered: the verdict is the first line", re.sub(r"the \d+ f", "the N f", out.splitlines()[0]),
           f"{opened}: not covered: 1 of the N functions that it imports from libc{past}; it never makes a thread, so nothing changes")
    expect("not covered: the table", re.search(r"\nnot covered:\n(  \S.*\n)+    dl_iterate_phdr +loader +" + re.escape(name) + "\n", out)
           is not None, True)
    raw = ("\nsystem calls past libc, not covered:\n"
           "  made by an instruction of its own, and the code does not show which: it may wait, unseen\n"
           "    an unknown one                       past_libc_any in libtool_past.so\n"
           "  made by an instruction of its own, unseen: every green thread waits while it waits, and for ever if a green thread "
           "would have to end the wait\n"
           "    futex                                past_libc in libtool_past.so\n")
    expect("system calls past libc", raw in out, disassembly)
    expect("--all: harmless ones too", "    getpid                               past_libc in libtool_past.so\n" in
           run(gev, "check", "--all", opened)[1], disassembly)
    expect("static", run(gev, "check", static),
           (2, f"{static}: cannot be patched: '{static}' is statically linked: it has no dynamic linker that would load libpatch.so\n",
            ""))
    expect("no such program", run(gev, "check", "no-such-program"),
           (125, "", "gev: check: 'no-such-program': No such file or directory\n"))
    expect("no such process", run(gev, "check", "999999999"),
           (125, "", "gev: check: cannot look at process 999999999: No such file or directory\n"))
    expect("nothing", run(gev, "check"), (125, "", "gev: check: one program, or the number of a process\n"))
    expect("help", run(gev, "check", "--help"), run(gev, "help", "check"))


def missing_library(gev, opened, folder):
    """Without its library it would not start; the word for it is the dynamic linker's."""
    alone = folder / "alone"
    image = pathlib.Path(opened).read_bytes()
    assert b"libtool_past.so" in image
    alone.write_bytes(image.replace(b"libtool_past.so", b"libtool_none.so"))
    alone.chmod(0o755)
    expect("a library that is not there", run(gev, "check", str(alone)),
           (125, "", f"gev: check: '{alone}' cannot be loaded: libtool_none.so: cannot open shared object file: No such file or directory\n"))


def by_ledger(gev, program, dump):
    """Every function stands as the ledger says."""
    rows = [line.split("\t") for line in subprocess.run([dump], capture_output=True, text=True, check=True).stdout.splitlines()]
    states = {row[0]: row[1] for row in rows if row[1] != "original"}
    standing = {"green": "cooperative", "aware": "cooperative", "shared": "not covered",
                "within": "cooperative", "alias": "cooperative", "pass": "harmless", "later": "not covered"}
    report = json.loads(run(gev, "check", "--json", program)[1])
    wrong = [f["name"] for f in report["functions"] if f["standing"] != standing[states.get(f["name"], "pass")]]
    expect(f"{os.path.basename(program)}: as the ledger says", wrong, [])
    return report


def reports(gev, plain, opened, static, dump, disassembly):
    report = by_ledger(gev, plain, dump)
    expect("JSON: cooperative", (report["verdict"], report["makes_threads"], report["patched"], report["system_calls"]),
           ("cooperative", True, False, []))
    create = next(f for f in report["functions"] if f["name"] == "pthread_create")
    expect("JSON: a function", create, {"name": "pthread_create", "standing": "cooperative", "family": "thread", "why": None,
                                        "users": [os.path.basename(plain)]})
    report = by_ledger(gev, opened, dump)
    expect("JSON: not covered", (report["verdict"], report["makes_threads"], report["looked_for_system_calls"]),
           ("not covered", False, disassembly))
    if disassembly:
        expect("JSON: system calls", [(c["name"], c["standing"]) for c in report["system_calls"]],
               [("an unknown one", "not covered"), ("futex", "not covered"), ("getpid", "harmless")])
    expect("JSON: cannot be patched", json.loads(run(gev, "check", "--json", static)[1])["verdict"], "cannot be patched")
    by_ledger(gev, sys.executable, dump)


def processes(gev, patch, opened):
    for preload in ("", patch):
        with subprocess.Popen([opened, "wait"], env={**os.environ, "LD_PRELOAD": preload}, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            report = json.loads(run(gev, "check", "--json", str(process.pid))[1])
            process.stdin.close()
        expect(f"a process{' with the shim' if preload else ''}",
               (report["patched"], report["verdict"], any("libtool_past.so" in f for f in report["files"])),
               (bool(preload), "not covered", True))


def main(gev, patch, plain, opened, static, dump, disassembly):
    words(gev, plain, opened, static, disassembly == "yes")
    with tempfile.TemporaryDirectory() as name:
        missing_library(gev, opened, pathlib.Path(name))
    reports(gev, plain, opened, static, dump, disassembly == "yes")
    processes(gev, patch, opened)
    return 1 if failures() else 0


if __name__ == "__main__":
    sys.exit(main(*map(os.path.realpath, sys.argv[1:-1]), sys.argv[-1]))

#!/usr/bin/env python3
"""An installation works for somebody outside the tree: install.py MESON BUILD VERSION CC...

Installs BUILD into an empty folder, builds small programs against that alone, as pkg-config says, and runs them: linked with
libgev, linked with libpatch ahead of libc, preloaded, and by the installed `gev` command.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

OUTSIDE = pathlib.Path(__file__).resolve().parent / "outside"
LIBRARIES = ["libgev.so", "libpatch.so"]
HEADERS = ["gev.h", "embed.h", "greenlet.h"]

failures = 0


def expect(what, got, wanted):
    global failures
    fits = got == wanted
    failures += not fits
    print(f"{'ok' if fits else 'NOT OK'}: {what}" + ("" if fits else f": wanted {wanted!r}, got {got!r}"))


def run(command, **variables):
    done = subprocess.run(command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120)
    return done.stdout.strip() if done.returncode == 0 else f"ended with {done.returncode}: {done.stdout.strip()}"


class Installation:
    """What `meson install --destdir` left under a folder."""

    def __init__(self, meson, build, folder):
        subprocess.run([meson, "install", "-C", build, "--no-rebuild", "--destdir", folder], check=True,
                       stdout=subprocess.DEVNULL)
        self.folder = folder
        self.config = next(folder.rglob("gev.pc")).parent
        self.lib = self.config.parent

    def flags(self, package):
        # The sysroot is put before the paths that the .pc files name.
        done = subprocess.run(["pkg-config", "--cflags", "--libs", package], check=True, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PKG_CONFIG_LIBDIR": str(self.config), "PKG_CONFIG_PATH": "",
                                   "PKG_CONFIG_SYSROOT_DIR": str(self.folder)})
        return done.stdout.split()

    def find(self, name):
        return next((path for path in self.folder.rglob(name)), None)


def main(meson, build, version, *cc):
    with tempfile.TemporaryDirectory() as name:
        there = Installation(meson, build, pathlib.Path(name, "root"))
        for library in LIBRARIES:
            expect(f"{library} is there", (there.lib / library).exists(), True)
        for header in HEADERS:
            expect(f"gev/{header} is there", there.find(f"include/gev/{header}") is not None, True)

        linked, plain, patched = (pathlib.Path(name, program) for program in ("linked", "plain", "patched"))
        subprocess.run([*cc, OUTSIDE / "linked.c", "-o", linked, *there.flags("gev")], check=True)
        subprocess.run([*cc, OUTSIDE / "plain.c", "-o", plain, "-pthread"], check=True)
        subprocess.run([*cc, OUTSIDE / "plain.c", "-o", patched, *there.flags("patch"), "-pthread"], check=True)

        path = str(there.lib)
        expect("a program linked with libgev", run([linked, version], LD_LIBRARY_PATH=path), "one two, 2 at once")
        expect("a threaded program, natively", run([plain]), "11")
        expect("the same, preloaded by path", run([plain], LD_PRELOAD=str(there.lib / "libpatch.so")), "1")
        expect("the same, preloaded by name", run([plain], LD_LIBRARY_PATH=path, LD_PRELOAD="libpatch.so"), "1")
        expect("the same, linked with -lpatch", run([patched], LD_LIBRARY_PATH=path), "1")
        gev = there.find("bin/gev")
        expect("the same, by gev run", run([gev, "run", "--no-monitor", plain]), "1")
        expect("its help for man(1)", there.find("man1/gev.1") is not None, True)
        expect("gev compare finds its other half", run([gev, "compare"]), "ended with 125: gev: compare: which program?")
        expect("gdb's helper lies beside the library", there.find(f"libgev.so.{version}-gdb.py").parent, there.lib.resolve())
        expect("the command's version", run([gev, "--version"]), f"gev {version}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

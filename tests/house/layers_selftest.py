#!/usr/bin/env python3
"""Shows that layers.py finds a breach: layers_selftest.py CC.

Compiles small made-up trees, each with one breach (or none) of the real layers.txt, and looks at what layers.py says of them.
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

CLEAN = {
    "lib/base/log.c": "void gev__log(void) {}",
    "lib/context/stack.c": "void gev__log(void); void gev__stack(void) { gev__log(); }",
    "lib/core/hub.c": "void ev_run(void); void gev__stack(void); void gev__hub(void) { ev_run(); gev__stack(); }",
    "lib/io/sleep.c": "void ev_timer_start(void); void gev__hub(void); void gev__sleep(void) { ev_timer_start(); gev__hub(); }",
    "lib/sync/queue.c": "void gev__hub(void); void gev__queue(void) { gev__hub(); }",
    "lib/watch/start.c": "void gev__hub(void); void gev__prepare(void) { gev__hub(); }",
    "lib/embed.c": "void gev__sleep(void); int gev_embed_v1(void) { gev__sleep(); return 0; }",
    "shim/libc/io.c": "int gev_embed_v1(void); int read(void) { return gev_embed_v1(); } void patch_load(void) {}",
    "tools/gev.c": "int main(void) { return 0; }",
    "tests/any.c": "void gev__hub(void); void any(void) { gev__hub(); }",
}

# description, the files that differ from CLEAN (None: absent), exit status, a text that must be in the output
CASES = [
    ("a clean tree", {}, 0, "9 objects keep"),
    ("libc's names stay libc's", {"lib/base/log.c": "int read(void); void gev__log(void) { read(); }"}, 0, "9 objects keep"),
    ("upwards by one", {"lib/base/log.c": "void gev__stack(void); void gev__log(void) { gev__stack(); }"},
     1, "lib/base/log.c uses gev__stack of lib/context/stack.c: lib/base may not use lib/context"),
    ("upwards from the core", {"lib/core/hub.c": "void gev__sleep(void); void gev__hub(void) { gev__sleep(); }"},
     1, "lib/core may not use lib/io"),
    ("upwards to the roof", {"lib/io/sleep.c": "int gev_embed_v1(void); void gev__sleep(void) { gev_embed_v1(); }"},
     1, "lib/io may not use lib"),
    ("the shim takes a private symbol", {"shim/libc/io.c": "void gev__hub(void); int read(void) { gev__hub(); return 0; }"},
     1, "shim may not use lib/core"),
    ("the library knows the shim", {"lib/core/hub.c": "void patch_load(void); void gev__hub(void) { patch_load(); }"},
     1, "lib/core may not use shim"),
    ("a weak use counts", {"lib/base/log.c": "__attribute__((weak)) void gev__hub(void); void gev__log(void) { gev__hub(); }"},
     1, "lib/base may not use lib/core"),
    ("libev outside its two places", {"lib/core/hub.c": None, "lib/core/park.c":
      "void ev_run(void); void gev__hub(void) { ev_run(); }"},
     1, "lib/core/park.c uses ev_run: only lib/core/hub* lib/io/* may use ev_*"),
    ("libev in the shim", {"shim/libc/io.c": "void ev_run(void); int read(void) { ev_run(); return 0; }"},
     1, "shim/libc/io.c uses ev_run"),
    ("a folder without objects", {"tools/gev.c": None}, 2, "no objects of tools"),
]


def run(cc, tree, files):
    """What layers.py makes of a tree with these files. An object that an earlier case made of the same text is used again."""
    units = []
    for path, text in files.items():
        source = tree / path
        source.parent.mkdir(parents=True, exist_ok=True)
        source.touch()
        output = hashlib.sha256(f"{path}\n{text}".encode()).hexdigest() + ".o"
        if not (tree / output).exists():
            subprocess.run([*cc, "-w", "-fno-builtin", "-x", "c", "-c", "-", "-o", tree / output], input=text, text=True, check=True)
        units.append({"directory": str(tree), "file": path, "output": output})
    (tree / "compile_commands.json").write_text(json.dumps(units))
    return subprocess.run([sys.executable, HERE / "layers.py", HERE / "layers.txt", tree, tree],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main(cc):
    bad = 0
    with tempfile.TemporaryDirectory() as tree:
        for description, changes, status, text in CASES:
            files = {path: code for path, code in {**CLEAN, **changes}.items() if code is not None}
            done = run(cc, pathlib.Path(tree).resolve(), files)
            fits = done.returncode == status and text in done.stdout
            bad += not fits
            print(f"{'ok' if fits else 'NOT OK'}: {description}")
            if not fits:
                print(f"  wanted {status} and '{text}', got {done.returncode} and:\n{done.stdout}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

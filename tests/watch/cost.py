#!/usr/bin/env python3
"""Watchers that are off cost nothing: cost.py VALGRIND LIBPATCH PROGRAM.

callgrind counts the instructions of the files of lib/watch and shim/watch. What they take when a process starts is the same, whether it then
does an operation five hundred times or a thousand.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def instructions(valgrind, patch, program, operation, n):
    """In the watchers' files, and in all."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "out")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GEV_")}
        subprocess.run([valgrind, "--tool=callgrind", f"--callgrind-out-file={out}", "--compress-strings=no", "--", program,
                        operation, str(n)], env=environment | {"LD_PRELOAD": patch, "GEV_SLICE": "off"}, check=True,
                       capture_output=True, timeout=100)
        watching, everything, file, called = 0, 0, "", False
        for line in out.read_text().splitlines():
            if re.match(r"(fl|fi|fe)=", line):
                file = line[3:]
            elif line.startswith("calls="):
                called = True  # the next line is the cost of the called one, which has its own
            elif re.match(r"[+\-*\d]", line):
                cost = int(line.split()[1])
                if not called:
                    everything += cost
                    watching += cost * ("lib/watch/" in file or "shim/watch/" in file)
                called = False
        return watching, everything


def main(valgrind, patch, program):
    bad = False
    for operation in ("yield", "echo", "spawn"):
        few, all_few = instructions(valgrind, patch, program, operation, 500)
        many, all_many = instructions(valgrind, patch, program, operation, 1000)
        print(f"{operation}: {few} and {many} instructions of {all_few} and {all_many}")
        bad |= few != many or few == 0 or all_many <= all_few
    return bad


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

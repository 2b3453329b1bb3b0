#!/usr/bin/env python3
"""Runs one of the short demos and holds its output against a file.

    hold.py [--preload LIBRARY] [--threads N] [--seconds N] [--before LINE LINE] [--sorted] EXPECTED PROGRAM

What differs from run to run is named, not compared: decimal fractions become N, an address becomes ADDRESS, followed
by whether all addresses of its line are the same. The number of OS threads must be N and becomes THREADS. --sorted:
two threads that wake in the same moment may print in either order, so lines are compared without it. --seconds: it
must take at least that. --before: the one line comes before the other, whatever --sorted says: two sleeps that wait for each other
would be the other way round.
"""
import argparse
import difflib
import os
import re
import subprocess
import sys
import time


def named(line):
    addresses = re.findall(r"0x[0-9a-f]+", line)
    if len(addresses) > 1:
        line += " same" if len(set(addresses)) == 1 else " other"
    if addresses:
        line = " ".join(line.split())  # columns are as wide as an address
    return re.sub(r"\b\d+\.\d+\b", "N", re.sub(r"0x[0-9a-f]+", "ADDRESS", line))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preload")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--before", nargs=2, metavar="LINE")
    parser.add_argument("--sorted", action="store_true")
    parser.add_argument("expected")
    parser.add_argument("program")
    return parser.parse_args()


def main():
    chosen = arguments()
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if chosen.preload:
        environment["LD_PRELOAD"] = chosen.preload
    begin = time.monotonic()
    done = subprocess.run([chosen.program], env=environment, stdout=subprocess.PIPE, text=True, timeout=200)
    took = time.monotonic() - begin
    faults = []
    if done.returncode != 0:
        faults.append(f"ended with {done.returncode}")
    if chosen.seconds and took < chosen.seconds:
        faults.append(f"took {took:.2f} s instead of {chosen.seconds:g}")
    output = done.stdout
    if chosen.before and not 0 <= output.find(chosen.before[0]) < output.find(chosen.before[1]):
        faults.append("{!r} did not come before {!r}:\n{}".format(*chosen.before, output))
    if chosen.threads is not None:
        found = re.search(r"^OS threads: (\d+)$", output, re.M)
        if not found or int(found.group(1)) != chosen.threads:
            faults.append(f"{found.group(0) if found else 'no OS threads reported'}, not {chosen.threads}")
        output = re.sub(r"^OS threads: \d+$", "OS threads: THREADS", output, flags=re.M)
    actual = [named(line) for line in output.splitlines()]
    with open(chosen.expected) as file:
        expected = file.read().splitlines()
    if chosen.sorted:
        actual, expected = sorted(actual), sorted(expected)
    if actual != expected:
        faults.append("other output:\n" + "\n".join(
            difflib.unified_diff(expected, actual, "expected", "printed", lineterm="")))
    for fault in faults:
        print(f"{os.path.basename(chosen.program)}: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

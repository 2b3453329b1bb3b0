#!/usr/bin/env python3
"""Holds the random scheduler test to its word: selftest.py PATH-OF-RANDOM.

Each fault that it can make on purpose must be found, and equal seeds must do equal things.
"""
import subprocess
import sys

FAULTS = ("lose-wake", "wake-two", "early", "value", "leak-fd", "order", "forget-kill", "stale-fd", "errno",
          "leak-memory", "timeout", "defer", "link", "local")


def run(*arguments):
    return subprocess.run([sys.argv[1], "--seed", "3", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=240)


def main():
    faults = []
    for name in FAULTS:
        found = run("--steps", "200000", "--fault", name)
        if found.returncode != 1 or "FAILED at step" not in found.stderr or "--fault " + name not in found.stderr:
            faults.append(f"{name}: status {found.returncode}, {found.stderr[:200]!r}")
    once, again = run("--steps", "20000"), run("--steps", "20000")
    if once.returncode or "digest" not in once.stdout or once.stdout != again.stdout:
        faults.append(f"one seed, two results: {once.stdout!r} {again.stdout!r} {once.stderr[:500]!r}")
    print("\n".join(faults) or f"{len(FAULTS)} faults found")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

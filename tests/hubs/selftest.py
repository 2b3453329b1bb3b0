#!/usr/bin/env python3
"""Holds the random test of several hubs to its word: selftest.py PATH-OF-TEST. Each fault that it can make on purpose must be found."""
import subprocess
import sys

FAULTS = ("value", "lose", "twice", "item")


def main():
    missed = []
    for name in FAULTS:
        found = subprocess.run([sys.argv[1], "--seed", "1", "--fault", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               timeout=240)
        if found.returncode != 1 or "\nFAILED; again: " not in found.stderr or "--fault " + name not in found.stderr:
            missed.append(f"{name}: status {found.returncode}, {found.stdout[:200]!r}, {found.stderr[:200]!r}")
    print("\n".join(missed) or f"{len(FAULTS)} faults found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

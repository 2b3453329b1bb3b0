#!/usr/bin/env python3
"""A random test with fresh seeds: soak.py PROGRAM SEEDS STEPS [ARGUMENT...]; every fourth with those arguments. A failure prints its seed."""
import random
import subprocess
import sys


def main():
    program, seeds, steps, *more = sys.argv[1:]
    failed = 0
    for number in range(int(seeds)):
        argv = [program, "--seed", str(random.getrandbits(48)), "--steps", steps, *(more if number % 4 == 3 else [])]
        status = subprocess.run(argv).returncode
        if status:
            failed += 1
            print(f"status {status}; again: {' '.join(argv)}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

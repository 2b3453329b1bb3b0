#!/usr/bin/env python3
"""The random scheduler test with fresh seeds: soak.py PATH-OF-RANDOM [SEEDS [STEPS]]. A failure prints its seed."""
import random
import subprocess
import sys


def main():
    program = sys.argv[1]
    seeds, steps = (sys.argv[2:] + ["4", "1000000"][len(sys.argv) - 2:])[:2]
    failed = 0
    for number in range(int(seeds)):
        argv = [program, "--seed", str(random.getrandbits(48)), "--steps", steps]
        if number % 4 == 3:
            argv.append("--real")  # the same with the kernel's clock
        done = subprocess.run(argv)
        failed += done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

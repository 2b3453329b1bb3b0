#!/usr/bin/env python3
"""stress_seed with fresh seeds, also with very short time slices: stress.py RUNNER LIBPATCH PROGRAM [SEEDS [STEPS]]. A failure names its seed."""
import random
import subprocess
import sys


def main():
    runner, patch, program = sys.argv[1:4]
    seeds, steps = (sys.argv[4:] + ["12", "1500"][len(sys.argv) - 4:])[:2]
    failed = 0
    for number in range(int(seeds)):
        seed = str(random.getrandbits(32))
        hurry = ["--env", "GEV_SLICE=50us"] if number % 2 else []
        done = subprocess.run([sys.executable, runner, "--patch", patch, "--one-thread", "--limit", "120", *hurry, program, seed, steps])
        if done.returncode != 0:
            failed += 1
            print(f"seed {seed}, {steps} steps {' '.join(hurry)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

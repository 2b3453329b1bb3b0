#!/usr/bin/env python3
"""fd_random or stdio_random with fresh seeds: random_soak.py LIBPATCH PROGRAM [OPERATIONS [EACH]]: so many operations in all (ten million), so many a
seed (100000).

The program foretells each answer itself, so it runs preloaded only, every other time with very short time slices; each tenth seed natively too, and
then both must say the same. Two run at a time. A failure names its seed.
"""
import concurrent.futures
import os
import random
import subprocess
import sys
import time

LIMIT = 600


def run(program, seed, operations, patch, slices):
    environment = {k: v for k, v in os.environ.items() if k != 'LD_PRELOAD' and not k.startswith('GEV_')}
    if patch:
        environment['LD_PRELOAD'] = patch
    if slices:
        environment['GEV_SLICE'] = slices
    try:
        done = subprocess.run([program, str(seed), str(operations)], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=LIMIT)
        return done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        return 'no end', late.stdout, late.stderr


def one(patch, program, number, seed, operations):
    slices = '50us' if number % 2 else None
    result = run(program, seed, operations, patch, slices)
    ends = result[0] == 0 and b'os-threads 1\n' in result[2]
    if ends and number % 10 == 0:
        ends = run(program, seed, operations, None, None)[:2] == result[:2]
    if not ends:
        print(f'seed {seed}, {operations} operations, GEV_SLICE={slices}: {result}', flush=True)
    return ends


def main():
    patch, program = (os.path.abspath(path) for path in sys.argv[1:3])
    operations, each = (int(n) for n in (sys.argv[3:] + ['10000000', '100000'][len(sys.argv) - 3:])[:2])
    began, rounds = time.monotonic(), (operations + each - 1) // each
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda number: one(patch, program, number, random.getrandbits(32), each), range(rounds)))
    print(f'{rounds * each} operations, {rounds} seeds, {ends.count(False)} failed, {time.monotonic() - began:.0f} s')
    return 1 if False in ends else 0


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/env python3
"""Programs whose system calls fail by turn: faults.py --patch LIBPATCH --faults LIBRARY [--seeds N] [--first N] PROGRAM...

Each program (its path and arguments in one word; SEED stands for the seed) runs with the library of faults alone, and with libpatch above it, with the
same seeds: it must end well, and say the same. Every call of EXPECTED must have failed in each of these ways at least once with libpatch, in all
of the runs together. Prints how often each did.
"""
import argparse
import collections
import os
import re
import sys

import run

# What the kernel is seen to answer through libpatch. It asks in other ways than the program does: with MSG_DONTWAIT, RWF_NOWAIT, SPLICE_F_NONBLOCK.
EXPECTED = {
    'recvfrom': 'EINTR EAGAIN ENOBUFS ENOMEM ECONNRESET short',
    'sendto': 'EINTR EAGAIN ENOBUFS ENOMEM ECONNRESET EPIPE short',
    'recvmsg': 'EINTR EAGAIN ENOBUFS ENOMEM short',
    'sendmsg': 'EINTR EAGAIN ENOBUFS ENOMEM short',
    'recvmmsg': 'EINTR EAGAIN ENOBUFS ENOMEM short',
    'sendmmsg': 'EINTR EAGAIN ENOBUFS ENOMEM',
    'preadv2': 'EINTR EAGAIN short',
    'pwritev2': 'EINTR EAGAIN ENOMEM short',
    'pread': 'EINTR short',
    'pwrite': 'EINTR short',
    'sendfile': 'EINTR ENOMEM short',
    'splice': 'EINTR EAGAIN ENOMEM short',
    'tee': 'EINTR EAGAIN ENOMEM short',
    'vmsplice': 'EINTR EAGAIN ENOMEM short',
    'copy_file_range': 'EINTR ENOMEM short',
    'accept': 'EINTR EAGAIN ECONNABORTED EMFILE ENFILE ENOBUFS ENOMEM EPROTO',
    'connect': 'EINTR ECONNREFUSED ETIMEDOUT ENOBUFS ENOMEM',
    'socket': 'EMFILE ENFILE ENOBUFS ENOMEM',
    'poll': 'EINTR ENOMEM',
    'close': 'EINTR',
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--patch', required=True)
    parser.add_argument('--faults', required=True)
    parser.add_argument('--seeds', type=int, default=1)
    parser.add_argument('--first', type=int, default=1)
    parser.add_argument('--limit', type=float, default=40)
    parser.add_argument('--env', action='append', default=[])
    parser.add_argument('--complete', action='store_true', help='EXPECTED must have come')
    parser.add_argument('program', nargs='+')
    options = parser.parse_args()
    options.grace = 5
    environment = {k: v for k, v in os.environ.items()
                   if k not in ('LD_PRELOAD', 'LD_LIBRARY_PATH') and not k.startswith('GEV_')}
    environment.update(pair.split('=', 1) for pair in options.env)
    seen, failed = collections.Counter(), 0
    for seed in range(options.first, options.first + options.seeds):
        for program in options.program:
            words = program.replace('SEED', str(seed)).split()
            words[0] = os.path.abspath(words[0])
            results = []
            for preload in (options.faults, f'{options.patch}:{options.faults}'):
                result = run.run(words, dict(environment, LD_PRELOAD=preload, FAULTS=str(seed)), options)
                results.append(result)
                if result.status != 0 or result.timed_out or result.children:
                    failed += 1
                    print(f'{program}, seed {seed}, {preload}: {result.ending()}\n{result.out.decode()}{result.err.decode()}')
            native, patched = results
            if native.out != patched.out:
                failed += 1
                print(f'{program}, seed {seed}: {native.out.decode()}\n--- preloaded: {patched.out.decode()}')
            if max(run.os_threads(patched), default=0) != 1 or max(run.os_threads(native), default=0) < 2:
                failed += 1
                print(f'{program}, seed {seed}: {run.os_threads(native)} and {run.os_threads(patched)} OS threads')
            for call, error, n in re.findall(rb'^fault (\w+) (\w+) (\d+)$', patched.err, re.M):
                seen[call.decode(), error.decode()] += int(n)
    for (call, error), n in sorted(seen.items()):
        print(f'{call} {error}: {n}')
    for call, errors in EXPECTED.items():
        for error in errors.split():
            if options.complete and not seen[call, error]:
                failed += 1
                print(f'{call} never failed with {error}')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()

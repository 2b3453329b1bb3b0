#!/usr/bin/env python3
"""Proves that run.py can fail: shell programs that behave otherwise when something is preloaded.

    selftest.py a-shared-object-that-does-nothing.so
"""
import os
import subprocess
import sys
import tempfile

RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'run.py')
PRELOADED = '[ -n "$LD_PRELOAD" ]'

# what it shows, does run.py pass?, options, shell program
CASES = [
    ('twins that agree', True, [], 'echo same; exit 3'),
    ('other output', False, [], f'echo a; {PRELOADED} && echo b; exit 0'),
    ('other bytes at the same length', False, [], f'{PRELOADED} && echo a || echo b'),
    ('other exit status', False, [], f'{PRELOADED} && exit 1; exit 0'),
    ('killed by the same signal', True, [], 'kill -PIPE $$'),
    ('killed by another signal', False, [], f'{PRELOADED} && kill -TERM $$; kill -PIPE $$'),
    ('a signal is not the status of its number', False, [], f'{PRELOADED} && exit 13; kill -PIPE $$'),
    ('a hang', False, ['--limit', '0.5'], f'{PRELOADED} && exec sleep 20; exit 0'),
    ('a native hang', False, ['--limit', '0.5'], 'exec sleep 20'),
    ('a native run that fails its own checks', False, [], 'exit 99'),
    ('a process left over', False, ['--grace', '0.5'], f'{PRELOADED} && sleep 20 & exit 0'),
    ('a process that ends by itself', True, [], 'sleep 0.1 & exit 0'),
    ('a file left over', False, [], f'{PRELOADED} && : >file; exit 0'),
    ('other standard error is no matter', True, [], f'{PRELOADED} && echo x >&2; exit 0'),
    ('one thread', True, ['--one-thread'], f'{PRELOADED} && n=1 || n=5; echo os-threads $n >&2'),
    ('two threads', False, ['--one-thread'], f'{PRELOADED} && n=2 || n=5; echo os-threads $n >&2'),
    ('one thread, but then two', False, ['--one-thread'],
     f'{PRELOADED} && n=2 || n=5; echo os-threads 1 >&2; echo os-threads $n >&2'),
    ('native has one thread', False, ['--one-thread'], 'echo os-threads 1 >&2'),
    ('the number of threads is missing', False, ['--one-thread'], 'exit 0'),
    ('a known failure', True, ['--known-failure', 'a reason'], f'{PRELOADED} && exit 1; exit 0'),
    ('a known failure that agrees', False, ['--known-failure', 'a reason'], 'exit 0'),
    ('a known failure does not excuse a native one', False, ['--known-failure', 'a reason'],
     f'{PRELOADED} && exit 1; exit 99'),
    ('a process that the native run leaves', False, ['--grace', '0.5'], f'{PRELOADED} || sleep 20 & exit 0'),
    ('the expected message', True, ['--expect-stderr', 'so it is'], f'{PRELOADED} && echo yes, so it is >&2; exit 0'),
    ('a message from the native run only', False, ['--expect-stderr', 'so it is'],
     f'{PRELOADED} || echo so it is >&2; exit 0'),
    ('the environment reaches both', True, ['--env', 'GEV_X=1'], '[ "$GEV_X" = 1 ] || exit 99'),
]


def runner(library, options, program):
    return subprocess.run([sys.executable, RUNNER, '--patch', library] + options + ['/bin/sh', '-c', program],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=150)


def leaves_nothing(library):
    """Whether what it runs ends with it."""
    with tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, 'fifo')
        os.mkfifo(fifo)
        process = subprocess.Popen([sys.executable, RUNNER, '--patch', library, '/bin/sh', '-c', f'echo $$ >{fifo}; exec sleep 100'])
        with open(fifo) as read:
            pid = int(read.readline())
    process.terminate()
    process.wait(60)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def main():
    library, wrong = sys.argv[1], 0
    for what, passes, options, program in CASES:
        result = runner(library, options, program)
        if (result.returncode == 0) != passes or 'Traceback' in result.stdout:
            wrong += 1
            print(f'{what}: run.py ended with {result.returncode}\n{result.stdout}')
    if runner(library + '.missing', [], 'exit 0').returncode == 0:
        wrong += 1
        print('a missing library went unnoticed')
    if not leaves_nothing(library):
        wrong += 1
        print('a process outlived the runner')
    print(f'{len(CASES) + 2} cases, {wrong} wrong')
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()

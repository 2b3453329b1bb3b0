"""What the Python fixtures share: plain CPython, nothing of ours."""
import sys


def report_threads():
    """For run.py --one-thread; to be called while all threads of the fixture live."""
    with open('/proc/self/status') as f:
        count = [line.split()[1] for line in f if line.startswith('Threads:')][0]
    print('os-threads', count, file=sys.stderr, flush=True)

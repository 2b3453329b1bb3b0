#!/usr/bin/env python3
"""Runs a program twice, natively and with LD_PRELOAD=libpatch.so, and holds the two runs against each other.

    run.py --patch build/shim/libpatch.so [options] program [argument...]

Standard output, exit status (or the signal that ended the program) and the files left in the working directory must
agree to the byte, and no process may be left over. Each run gets a fresh working directory, a session of its own and
a time limit; what outlives the limit, or this program where SIGTERM ends it (as meson does), is killed. Standard error is not compared: it is where a fixture says what may
differ, such as `os-threads N`.

A fixture that cannot be run on this machine says why on standard error and ends with status 77, both times: then the test is skipped.

A native run that fails its own checks (status 99, see twin.h) or its time limit is a failure of the test: two runs that
fail alike prove nothing.
"""
import argparse
import ctypes
import difflib
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

CHECK_FAILED = 99
SKIPPED = 77  # what meson takes for that, too
PR_SET_CHILD_SUBREAPER = 36


class Run:
    def __init__(self, status, out, err, timed_out, children, files, seconds):
        self.status, self.out, self.err = status, out, err
        self.timed_out, self.children, self.files, self.seconds = timed_out, children, files, seconds

    def ending(self):
        if self.timed_out:
            return 'no end within the time limit'
        if self.status < 0:
            return 'killed by ' + signal.Signals(-self.status).name
        return f'exit status {self.status}'


def living_children():
    """Our children that have not ended. Ended ones are reaped: this process is their subreaper."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return []
        if pid == 0:
            break
    me, found = os.getpid(), []
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open(f'/proc/{name}/stat') as f:
                    fields = f.read().rpartition(')')[2].split()
            except OSError:
                continue
            if int(fields[1]) == me and fields[0] not in 'ZX':
                found.append(int(name))
    return found


def end_leftovers(grace):
    deadline = time.monotonic() + grace
    left = living_children()
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = living_children()
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    while living_children():
        time.sleep(0.01)
    return len(left)


def prepare():
    """In the child. What a shell starts in its background ignores two signals (POSIX sh, 2.11), and a fixture would inherit that."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in signal.SIGINT, signal.SIGQUIT:
        signal.signal(number, signal.SIG_DFL)


def run(command, environment, options):
    with tempfile.TemporaryDirectory() as cwd, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env=environment, start_new_session=True,
            preexec_fn=prepare)
        timed_out = False
        try:
            process.wait(options.limit)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        except SystemExit:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            end_leftovers(0)
            raise
        seconds = time.monotonic() - began
        children = end_leftovers(options.grace)
        files = sorted(os.listdir(cwd))
        out.seek(0)
        err.seek(0)
        return Run(process.returncode, out.read(), err.read(), timed_out, children, files, seconds)


def terminated(number, frame):
    sys.exit(128 + number)


def lines(data):
    return data.decode('utf-8', 'backslashreplace').splitlines(keepends=True)


def os_threads(result):
    return [int(n) for n in re.findall(rb'^os-threads (\d+)$', result.err, re.M)]


def spoilt(native, patched, options):
    """Why the two runs can prove nothing, one sentence each. No known failure excuses these."""
    found = []
    if native.timed_out or native.status == CHECK_FAILED:
        found.append(f'the native run itself failed: {native.ending()}')
    if native.children:
        found.append(f'native: {native.children} processes left over')
    if b'cannot be preloaded' in patched.err:
        found.append('the dynamic linker did not preload the library')
    if options.one_thread:
        count = os_threads(native)
        if not count or max(count) < 2:
            found.append(f'native: expected more than one OS thread, the fixture said {count}')
    return found


def differences(native, patched, options):
    """Where the twins disagree, one sentence each."""
    found = []
    if native.ending() != patched.ending():
        found.append(f'native: {native.ending()}, preloaded: {patched.ending()}')
    if native.out != patched.out:
        diff = difflib.unified_diff(lines(native.out), lines(patched.out), 'native', 'preloaded')
        found.append('standard output differs:\n' + ''.join(list(diff)[:200]))
    if native.files != patched.files:
        found.append(f'files left: native {native.files}, preloaded {patched.files}')
    if patched.children:
        found.append(f'preloaded: {patched.children} processes left over')
    if options.one_thread:
        count = os_threads(patched)
        if not count or set(count) != {1}:
            found.append(f'preloaded: expected 1 OS thread, the fixture said {count}')
    if options.os_threads is not None and set(os_threads(patched)) != {options.os_threads}:
        found.append(f'preloaded: expected {options.os_threads} OS threads, the fixture said {os_threads(patched)}')
    if options.expect_stderr is not None and options.expect_stderr.encode() not in patched.err:
        found.append(f'preloaded: standard error lacks {options.expect_stderr!r}')
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--patch', required=True, help='the libpatch.so to preload')
    parser.add_argument('--one-thread', action='store_true',
                        help='"os-threads N" on standard error must be 1 preloaded, and more natively')
    parser.add_argument('--os-threads', type=int, metavar='N', help='"os-threads N" must be so preloaded')
    parser.add_argument('--known-failure', metavar='REASON', help='the twins must disagree; agreement is a failure')
    parser.add_argument('--env', action='append', default=[], metavar='K=V', help='set in both runs')
    parser.add_argument('--expect-stderr', metavar='TEXT', help='the preloaded run must say this')
    parser.add_argument('--limit', type=float, default=120, metavar='SECONDS', help='for each run (default 120: for what hangs)')
    parser.add_argument('--grace', type=float, default=10, metavar='SECONDS',
                        help='in which a process that the program left may still end by itself (default 10)')
    parser.add_argument('program')
    parser.add_argument('arguments', nargs=argparse.REMAINDER)
    options = parser.parse_args()

    if not os.path.exists(options.patch):
        sys.exit(f'{options.patch}: no such library')
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, terminated)
    # A library path would hide whether everything is found without one.
    environment = {k: v for k, v in os.environ.items()
                   if k not in ('LD_PRELOAD', 'LD_LIBRARY_PATH') and not k.startswith('GEV_')}
    environment.update(pair.split('=', 1) for pair in options.env)
    command = [os.path.abspath(options.program)] + options.arguments
    native = run(command, environment, options)
    patched = run(command, dict(environment, LD_PRELOAD=os.path.abspath(options.patch)), options)

    if native.status == patched.status == SKIPPED:
        print(native.err.decode())
        sys.exit(SKIPPED)
    useless, found = spoilt(native, patched, options), differences(native, patched, options)
    print(f'native {native.seconds:.3f} s, preloaded {patched.seconds:.3f} s, {native.ending()}')
    for sentence in useless + found:
        print(sentence)
    for name, result in ('native', native), ('preloaded', patched):
        if (useless or found) and result.err:
            print(f'--- standard error, {name}:\n' + ''.join(lines(result.err)[:100]))
    if useless:
        sys.exit(1)
    if options.known_failure is not None:
        if not found:
            sys.exit(f'the twins agree, and are listed as a known failure ({options.known_failure}): unlist them')
        print(f'a known failure: {options.known_failure}')
        return
    sys.exit(1 if found else 0)


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""Holds each cooperative row of symbols.def against what its fixture does when it is run.

    parks.py --dump DUMP --patch LIBPATCH --libgev LIBGEV --witness WITNESS --runs RUNS [FIXTURE...]

RUNS lists the runs of all fixtures, one a line, between tabs: fixture, environment (K=V, between blanks), program, arguments. Those that
a row names are run once each, preloaded, with the witness (witness.c) beside. Of a cooperative row it must then have seen a call in which the caller
parked while another green thread made a call; of one that never waits, a call. An alias counts as what it stands for.
"""

import argparse
import collections
import concurrent.futures
import os
import struct
import subprocess
import sys
import tempfile

import ledger

Count = collections.namedtuple("Count", "called parked met left")
NOTHING = Count(0, 0, 0, 0)

SHOWN = ("green", "aware", "shared", "within")  # by a fixture

# Families of functions that other libraries export: their fixtures are left out where those are missing.
ELSEWHERE = {"uring"}

# Whether a thread finds a full pipe or a held lock may be a matter of timing. What has been seen in any run has been seen.
ROUNDS = 4

# They let the others go first and stay ready themselves.
GIVE_WAY = {"sched_yield", "thrd_yield"}

# Functions of newer libcs than this one.
NEWER = ("__isoc23_", "pthread_gettid_np", "sched_setattr")

# What no fixture can make wait, or be seen to, and why.
UNSEEN = {
    "tcdrain": "a pseudo-terminal keeps nothing back that could go out later (tty_ioctl(4), TIOCOUTQ: 0), and there is no other line here",
    "tcsetattr": "as tcdrain",
    "pthread_mutex_setprioceiling": "only a real-time thread can hold such a mutex (pthread_mutexattr_setprotocol(3)), and no green thread is one",
    "_IO_vfscanf": "libc has it for old programs, and no new one can be linked with it (_IO_vfscanf@GLIBC_2.2.5)",
}


def rows_in_order(rows):
    """As the witness counts them."""
    return [row for row in rows if row.state in (*SHOWN, "alias")]


def read_counts(data):
    return [Count(*fields) for fields in struct.iter_unpack("IIII", data)]


def add(a, b):
    return Count(*(x + y for x, y in zip(a, b)))


def gather(rows, counted):
    """Of each row that is no alias, what its own fixture showed, all its names together."""
    rows = rows_in_order(rows)
    fixture_of = {row.symbol: row.detail for row in rows if row.state != "alias"}
    seen = {symbol: NOTHING for symbol in fixture_of}
    for place, row in enumerate(rows):
        symbol = row.detail if row.state == "alias" else row.symbol
        for counts in counted.get(fixture_of[symbol], []):
            if counts:
                seen[symbol] = add(seen[symbol], counts[place])
    return seen


def judge(rows, seen, fixtures):
    """Of these fixtures, a sentence for each row to which its own does not show what it should."""
    wrong = {}
    for row in rows:
        if row.state not in SHOWN or row.detail not in fixtures or row.symbol.startswith(NEWER):
            continue
        count = seen[row.symbol]
        where = f"{row.symbol}: in its fixture {row.detail}"
        if row.symbol in UNSEEN:
            if count.met:
                wrong[row.symbol] = f"{where} it waits, and is listed as a row that nobody sees waiting: unlist it"
        elif not count.called:
            wrong[row.symbol] = f"{where} it is not called"
        elif row.state in ("aware", "shared"):
            continue
        elif row.symbol in GIVE_WAY:
            if not count.left:
                wrong[row.symbol] = f"{where} nobody gets a turn by it ({count.called} calls)"
        elif not count.parked:
            wrong[row.symbol] = f"{where} nobody parks in it ({count.called} calls)"
        elif not count.met:
            wrong[row.symbol] = f"{where} no other green thread gets on while one is parked ({count.parked} times)"
    return wrong


def read_runs(path):
    """Fixture -> its runs, each an environment and a command."""
    runs = collections.defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            fixture, environment, *command = line.split("\t")
            runs[fixture].append((dict(pair.split("=", 1) for pair in environment.split()), command))
    return runs


def run(options, environment, command):
    """What the witness counted; None: it counted nothing."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GEV_", "LD_"))}
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as counts:
        clean.update(environment, LD_PRELOAD=f"{options.patch}:{options.witness}", GEV_STATS="text,/dev/null",
                     LEDGER_WITNESS=counts.name, LEDGER_LIBGEV=options.libgev)
        process = subprocess.Popen(command, cwd=folder, env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
        with open(counts.name, "rb") as file:
            return read_counts(file.read())


def run_all(options, runs, counted):
    jobs = [(fixture, *one) for fixture in runs for one in runs[fixture]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for job, counts in zip(jobs, pool.map(lambda job: run(options, *job[1:]), jobs)):
            counted[job[0]].append(counts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in "dump", "patch", "libgev", "witness", "runs":
        parser.add_argument("--" + name, required=True)
    parser.add_argument("fixtures", nargs="*", help="only these")
    options = parser.parse_args()
    rows = ledger.read_rows(options.dump)
    runs = read_runs(options.runs)
    named = {row.detail: row.family for row in rows if row.state in SHOWN}
    wrong = [f"{fixture}: a row names it, and nothing runs it"
             for fixture, family in named.items() if fixture not in runs and family not in ELSEWHERE]
    counted = collections.defaultdict(list)
    fixtures = set(named) & set(runs) & set(options.fixtures or named)
    for _ in range(ROUNDS):
        run_all(options, {fixture: runs[fixture] for fixture in sorted(fixtures)}, counted)
        lacking = judge(rows, gather(rows, counted), set(counted))
        fixtures = {row.detail for row in rows if row.state in SHOWN and row.symbol in lacking}
        if not fixtures:
            break
    wrong += lacking.values()
    print(*wrong, sep="\n")
    print(f"{sum(len(runs) for runs in counted.values())} runs, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

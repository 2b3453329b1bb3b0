#!/usr/bin/env python3
"""The demo: unmodified threaded servers natively and with LD_PRELOAD=libpatch.so, under the same load, in one run.

Usage: demo.py BUILD [--quick] [--json FILE] [legacy_server] [python] [daemons] [seeds]
Takes about two minutes. Every answer is compared byte for byte. Exit status 1 when any was wrong, when a preloaded
server ran on more than one OS thread, or when one failed. How the figures are taken: docs/benchmarks.md.
"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "bench")]

from kit import kinds, machine  # noqa: E402  the paths come first
from kit.context import Context  # noqa: E402
from kit.tree import Build  # noqa: E402
from show import daemons, seeds, servers  # noqa: E402


ABOUT = """\
Unmodified programs, natively and with LD_PRELOAD=libpatch.so. 16-byte messages over kept-open connections, each
answer compared byte for byte. "As started": nothing pinned, native threads use every core. "One core": the server
on one core, the client on another. Medians of {} interleaved round(s)."""


def arguments():
    parser = argparse.ArgumentParser(description="Shows unmodified threaded servers, natively and preloaded.")
    parser.add_argument("build", help="the build directory")
    parser.add_argument("part", nargs="*", help=f"{', '.join(PARTS)} (all)")
    parser.add_argument("--quick", action="store_true", help="one short round each")
    parser.add_argument("--json", help="write every figure into this file, one line of JSON a measurement")
    chosen = parser.parse_intermixed_args()
    for part in chosen.part:
        if part not in PARTS:
            parser.error(f"no part {part}")
    return chosen


def show_legacy_server(context):
    context.title("demos/legacy_server.c, plain POSIX, a thread per connection: 1000 connections")
    return servers.compare(context, "legacy_server", {"native": kinds.native, "preloaded": kinds.preloaded},
                           (machine.as_started(), machine.one_core()), connections=1000,
                           seconds=context.scale(1.5, 0.5))


def show_python(context):
    context.title("python3, socketserver.ThreadingTCPServer, as Debian ships it: 500 connections")
    python = {"native": kinds.python_native, "preloaded": kinds.python_preloaded}
    if kinds.have_gevent():
        python["gevent's own patched server"] = kinds.python_gevent
    return servers.compare(context, "python", python, (machine.as_started(), machine.one_core()), connections=500,
                           seconds=context.scale(1.5, 0.5))


def show_daemons(context):
    return daemons.run(context, (machine.as_started(),), connections=500, seconds=context.scale(1.5, 0.5))


# In the order in which they are shown. Each gives back whether all went well.
PARTS = {"legacy_server": show_legacy_server, "python": show_python, "daemons": show_daemons, "seeds": seeds.run}


def main():
    chosen = arguments()
    output = open(chosen.json, "w") if chosen.json else None
    context = Context(Build(chosen.build), 1 if chosen.quick else 3, chosen.quick, output)
    print(ABOUT.format(context.rounds))
    print(machine.describe())
    context.emit(machine=machine.describe(), rounds=context.rounds, quick=context.quick)
    good = all([show(context) for part, show in PARTS.items() if not chosen.part or part in chosen.part])
    context.title("Everything above went as it should." if good and not context.wrong else
                  "NOT everything above went as it should.")
    return 0 if good and not context.wrong else 1


if __name__ == "__main__":
    sys.exit(main())

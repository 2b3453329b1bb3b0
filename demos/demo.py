#!/usr/bin/env python3
"""The demo: unmodified threaded servers natively and with LD_PRELOAD=libpatch.so, under the same load, in the same run.

Usage: demo.py BUILD [--quick] [--json FILE]
Takes about two minutes. Every answer is compared byte for byte. Exit status 1 when any was wrong, when a preloaded server
ran on more than one OS thread, or when one failed. How the figures are taken: docs/benchmarks.md.
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


def arguments():
    parser = argparse.ArgumentParser(description="Shows unmodified threaded servers, natively and preloaded.")
    parser.add_argument("build", help="the build directory")
    parser.add_argument("--quick", action="store_true", help="one short round each")
    parser.add_argument("--json", help="write every figure into this file, one line of JSON a measurement")
    return parser.parse_args()


def show(context):
    """Whether all went well."""
    both = (machine.as_started(), machine.one_core())
    seconds = context.scale(1.5, 0.5)

    context.title("demos/legacy_server.c, plain POSIX, a thread per connection: 1000 connections")
    good = servers.compare(context, "legacy_server", {"native": kinds.native, "preloaded": kinds.preloaded}, both,
                           connections=1000, seconds=seconds)

    context.title("python3, socketserver.ThreadingTCPServer, as Debian ships it: 500 connections")
    python = {"native": kinds.python_native, "preloaded": kinds.python_preloaded}
    if kinds.have_gevent():
        python["gevent's own patched server"] = kinds.python_gevent
    good = servers.compare(context, "python", python, both, connections=500, seconds=seconds) and good

    good = daemons.run(context, (machine.as_started(),), connections=500, seconds=seconds) and good
    return seeds.run(context) and good


def main():
    chosen = arguments()
    output = open(chosen.json, "w") if chosen.json else None
    context = Context(Build(chosen.build), 1 if chosen.quick else 3, chosen.quick, output)
    print("Unmodified programs, natively and with LD_PRELOAD=libpatch.so. 16-byte messages over kept-open connections, each")
    print("answer compared byte for byte. \"As started\": nothing pinned, native threads use every core. \"One core\": the")
    print(f"server on one core, the client on another. Medians of {context.rounds} interleaved round(s).")
    print(machine.describe())
    context.emit(machine=machine.describe(), rounds=context.rounds, quick=context.quick)
    good = show(context)
    context.title("Everything above went as it should." if good and not context.wrong else
                  "NOT everything above went as it should.")
    return 0 if good and not context.wrong else 1


if __name__ == "__main__":
    sys.exit(main())

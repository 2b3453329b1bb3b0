#!/usr/bin/env python3
"""Runs the benchmarks of a built tree: interleaved rounds, tables on standard output, one line of JSON a measurement.

Usage: run.py BUILD [--rounds N] [--minutes N] [--quick] [--json FILE] [--publish] [SCENARIO...]
What each figure means: docs/benchmarks.md. Exit status 1 when any answer was wrong or any server failed.
"""
import argparse
import importlib
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kit import machine, publish, table  # noqa: E402  the path comes first
from kit.context import Context  # noqa: E402
from kit.tree import ROOT, Build  # noqa: E402

FIGURES = os.path.join(ROOT, "docs", "figures")

# In the order in which they are run: when time is short, the last ones get fewer rounds.
SCENARIOS = ("startup", "switch", "threads", "waits", "counts", "asleep", "echo", "syscalls", "memory", "python", "paced", "brief",
             "bulk", "watch", "fairness", "events")


def arguments():
    modules = {name: importlib.import_module("scenarios." + name) for name in SCENARIOS}
    listing = "\n".join(f"  {name:10} {module.QUESTION}" for name, module in modules.items())
    parser = argparse.ArgumentParser(description="Runs the benchmarks.", epilog="scenarios:\n" + listing,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="the build directory")
    parser.add_argument("scenario", nargs="*", help="which (all)")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5; quick: 2)")
    parser.add_argument("--quick", action="store_true", help="short runs: for a look, not for a claim")
    parser.add_argument("--json", help="write one line of JSON a measurement into this file")
    parser.add_argument("--minutes", type=float, help="begin no further round after so many (9; quick: 2.5)")
    parser.add_argument("--publish", action="store_true",
                        help="write docs/figures/ and the tables of docs/benchmarks.md from this run")
    chosen = parser.parse_intermixed_args()
    for name in chosen.scenario:
        if name not in modules:
            parser.error(f"no scenario {name}")
    return chosen, [modules[name] for name in chosen.scenario or SCENARIOS]


def main():
    chosen, modules = arguments()
    if chosen.publish:
        os.makedirs(FIGURES, exist_ok=True)
    path = chosen.json or (os.path.join(FIGURES, "figures.jsonl") if chosen.publish else None)
    output = open(path, "w") if path else None
    context = Context(Build(chosen.build), chosen.rounds or (2 if chosen.quick else 5), chosen.quick, output)
    context.minutes = chosen.minutes or (2.5 if chosen.quick else 9)
    print(machine.describe())
    context.emit(machine=machine.describe(), rounds=context.rounds, quick=context.quick)
    for module in modules:
        begin = time.monotonic()
        module.run(context)
        table.progress()
        print(f"\n  ({time.monotonic() - begin:.0f} s)")
    if context.late():
        context.say(f"out of time after {context.minutes:g} minutes: the last scenarios had fewer rounds")
    if chosen.publish and not context.wrong:
        print(f"\nwritten: {publish.write(context, machine.describe())}, docs/benchmarks.md")
    if context.wrong:
        print(f"\n{len(context.wrong)} measurement(s) FAILED" + (", nothing published" if chosen.publish else ""))
    return 1 if context.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs the benchmarks of a built tree: interleaved rounds, tables on standard output, one line of JSON a measurement.

Usage: run.py BUILD [--rounds N] [--quick] [--json FILE] [SCENARIO...]
What each figure means: docs/benchmarks.md. Exit status 1 when any answer was wrong or any server failed.
"""
import argparse
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kit import machine  # noqa: E402  the path comes first
from kit.context import Context  # noqa: E402
from kit.tree import Build  # noqa: E402

SCENARIOS = ("startup", "switch", "threads", "syscalls", "memory", "echo", "paced", "brief", "bulk", "python", "watch")


def arguments():
    modules = {name: importlib.import_module("scenarios." + name) for name in SCENARIOS}
    listing = "\n".join(f"  {name:10} {module.QUESTION}" for name, module in modules.items())
    parser = argparse.ArgumentParser(description="Runs the benchmarks.", epilog="scenarios:\n" + listing,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="the build directory")
    parser.add_argument("scenario", nargs="*", help="which (all)")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5; quick: 3)")
    parser.add_argument("--quick", action="store_true", help="short runs: for a look, not for a claim")
    parser.add_argument("--json", help="write one line of JSON a measurement into this file")
    chosen = parser.parse_intermixed_args()
    for name in chosen.scenario:
        if name not in modules:
            parser.error(f"no scenario {name}")
    return chosen, [modules[name] for name in chosen.scenario or SCENARIOS]


def main():
    chosen, modules = arguments()
    output = open(chosen.json, "w") if chosen.json else None
    context = Context(Build(chosen.build), chosen.rounds or (3 if chosen.quick else 5), chosen.quick, output)
    print(machine.describe())
    context.emit(machine=machine.describe(), rounds=context.rounds, quick=context.quick)
    for module in modules:
        module.run(context)
    if context.wrong:
        print(f"\n{len(context.wrong)} measurement(s) FAILED")
    return 1 if context.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

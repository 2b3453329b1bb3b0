"""switch: the runtime's own costs, measured by the programs bench/micro/gev_*.c, which link libgev.

Each prints one JSON object a line: {"what": "...", "ns": 12.3}.
"""
import glob
import json
import os
import subprocess

from kit import machine, rounds, table

QUESTION = "What do a switch, a spawn, a hand-off cost through the native interface?"


def measure(program, cores):
    done = subprocess.run([program], stdout=subprocess.PIPE, text=True, timeout=300, check=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores))
    return {line["what"]: line["ns"] for line in map(json.loads, done.stdout.splitlines())}


def run(context):
    programs = [path for path in sorted(glob.glob(os.path.join(context.build.folder, "bench", "micro_gev_*")))
                if os.access(path, os.X_OK) and os.path.isfile(path)]
    found = []
    for program in programs:
        name = os.path.basename(program)[len("micro_gev_"):]
        runs = rounds.interleave({name: program}, context.rounds,
                                 lambda _name, path: measure(path, machine.one_core().server), table.progress)[name]
        for figures in runs:
            context.emit(scenario="switch", variant=name, **figures)
        found += [(name, what, rounds.median(runs, what), rounds.least(runs, what)) for what in runs[0]]
    context.title(f"the native interface, nanoseconds each, {context.rounds} rounds, on one core")
    if found:
        table.write(("program", "operation", "median", "least"), found)

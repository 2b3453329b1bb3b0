"""twice: a plain POSIX program of bench/micro, run natively in both ways to run, and preloaded. It prints {"what": "...", "ns": 12.3} a line."""
import json
import os
import subprocess

from kit import machine, rounds, table


def measure(context, scenario, program, scale, preload, cores):
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if preload:
        environment["LD_PRELOAD"] = context.build.patch
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    done = subprocess.run([context.build.bench(program), scale], env=environment,
                          stdout=subprocess.PIPE, text=True, timeout=300, preexec_fn=pin)
    if done.returncode != 0:
        context.failed(f"{scenario}: {program} ended with {done.returncode}")
    return {line["what"]: line["ns"] for line in map(json.loads, done.stdout.splitlines())}


def run(context, scenario, program, scale, title, most=None):
    """Measures it in interleaved rounds, at most so many, and writes a table."""
    variants = {"native, as started": (False, None), "native, one core": (False, machine.one_core().server),
                "preloaded": (True, machine.one_core().server)}
    times = context.fewer(most) if most else context.rounds
    collected = rounds.interleave(variants, times, lambda name, how: measure(context, scenario, program, scale, *how),
                                  table.progress, context.late)
    for name, runs in collected.items():
        for figures in runs:
            context.emit(scenario=scenario, variant=name, **figures)
    found = []
    for what in collected["native, one core"][0]:
        medians = [rounds.median(runs, what) for runs in collected.values()]
        found.append((what, *medians,
                      table.times(rounds.ratio(collected["preloaded"], collected["native, one core"], what))))
    context.title(f"{title}, nanoseconds each, median of {times} rounds")
    context.write(("operation", *variants, "preloaded / one core"), found)

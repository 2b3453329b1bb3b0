"""threads: what the POSIX calls themselves cost, in a plain C program, natively and preloaded."""
import json
import os
import subprocess

from kit import machine, rounds, table

QUESTION = "What do pthread_create, mutexes, conditions and semaphores cost?"


def measure(context, preload, cores):
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if preload:
        environment["LD_PRELOAD"] = context.build.patch
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    done = subprocess.run([context.build.bench("micro_pthreads"), context.scale("0.4", "0.1")], env=environment,
                          stdout=subprocess.PIPE, text=True, timeout=300, preexec_fn=pin)
    if done.returncode != 0:
        context.failed(f"threads: micro_pthreads ended with {done.returncode}")
    return {line["what"]: line["ns"] for line in map(json.loads, done.stdout.splitlines())}


def run(context):
    variants = {"native, as started": (False, None), "native, one core": (False, machine.one_core().server),
                "preloaded": (True, machine.one_core().server)}
    collected = rounds.interleave(variants, context.rounds, lambda name, how: measure(context, *how), table.progress)
    for name, runs in collected.items():
        for figures in runs:
            context.emit(scenario="threads", variant=name, **figures)
    found = []
    for what in collected["native, one core"][0]:
        medians = [rounds.median(runs, what) for runs in collected.values()]
        found.append((what, *medians,
                      table.times(rounds.ratio(collected["preloaded"], collected["native, one core"], what))))
    context.title(f"POSIX calls, nanoseconds each, median of {context.rounds} rounds")
    context.write(("operation", *variants, "preloaded / one core"), found)

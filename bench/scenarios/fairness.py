"""fairness: threads that sleep beside one that computes, and what time slices cost the one that computes."""
import json
import os
import subprocess

from kit import machine, rounds, table

QUESTION = "How late do sleepers wake beside a thread that only computes, and what do the slices cost it?"


def run_once(context, preload, cores, slices, *arguments):
    environment = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "GEV_SLICE")}
    if preload:
        environment["LD_PRELOAD"] = context.build.patch
    if slices:
        environment["GEV_SLICE"] = slices
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    done = subprocess.run([context.build.bench("fairness"), *arguments], env=environment, stdout=subprocess.PIPE,
                          text=True, timeout=300, preexec_fn=pin)
    if done.returncode != 0:
        context.failed(f"fairness: {' '.join(arguments)} ended with {done.returncode}")
        return {}
    return json.loads(done.stdout)


def run(context):
    one = machine.one_core().server
    late = {"native, as started": (False, None, None), "native, one core": (False, one, None),
            "preloaded": (True, one, None)}
    seconds = context.scale("3", "1")
    collected = rounds.interleave(late, context.rounds, lambda name, how: run_once(context, *how, seconds),
                                  table.progress)
    cost = {"native": (False, one, None), "GEV_SLICE=off": (True, one, "off"), "GEV_SLICE=5ms": (True, one, None)}
    computed = rounds.interleave(cost, context.rounds, lambda name, how: run_once(context, *how, seconds, "compute"),
                                 table.progress)
    for runs in (collected, computed):
        for name, figures in runs.items():
            for line in figures:
                context.emit(scenario="fairness", variant=name, **line)
    context.title(f"20 threads that sleep 5 ms beside one that computes, median of {context.rounds} rounds")
    table.write(("variant", "sleeps", "late p50 us", "late p99 us", "late max us"),
                [(name, *(rounds.median(runs, what) for what in ("sleeps", "late_p50_us", "late_p99_us", "late_max_us")))
                 for name, runs in collected.items()])
    context.title(f"A thread that computes, another that waits for its end, median of {context.rounds} rounds")
    table.write(("variant", "CPU ms", "/ off"),
                [(name, rounds.median(runs, "cpu_ms"),
                  table.times(rounds.ratio(runs, computed["GEV_SLICE=off"], "cpu_ms"))) for name, runs in computed.items()])

"""switch: what switching, making and handing over cost, here and in the libraries that do the same.

The programs bench/micro/* print one JSON object a line: {"what": "...", "ns": 12.3}; equal rows have equal names.
"""
import json
import os
import subprocess

from kit import kinds, machine, rounds
from kit.tree import PYTHON, ROOT

TITLES = {"switch": "the switch alone", "yield": "letting the others run", "spawn": "making one and waiting for its end",
          "hand-off": "handing over to another"}
QUESTION = "What do a switch, a spawn, a hand-off cost, beside other libraries?"

# column: (programs, how much of their usual number of turns)
PROGRAMS = {
    "libgev": (("micro_gev_raw", "micro_gev_core"), 1),
    "State Threads": (("micro_st",), 1),
    "GNU Pth": (("micro_pth",), 0.3),
    "Boost": (("micro_boost_context", "micro_boost_fiber"), 1),
    "Go": (("micro_go",), 1),
    "native threads": (("micro_pthreads",), 0.2),
    "preloaded": (("micro_pthreads",), 0.2),
    "swapcontext": (("micro_swapcontext",), 1),
}
# what the POSIX program calls the same thing
SAME = {"create+join": "spawn, run, join", "condition hand-off": "hand-off by semaphore or condition",
        "sched_yield, 2 threads": "yield, 2 runnable", "sched_yield, 1000 threads": "yield, 1000 runnable"}
ROWS = ("raw switch", "raw switch that changes identity", "yield, 2 runnable", "yield, 1000 runnable",
        "spawn, run, join", "hand-off by semaphore or condition", "hand-off by channel or queue")
CHARTS = {"switch": ("raw switch", "raw switch that changes identity"),
          "yield": ("yield, 2 runnable", "yield, 1000 runnable"), "spawn": ("spawn, run, join",),
          "hand-off": ("hand-off by semaphore or condition", "hand-off by channel or queue")}


def run_one(argv, preload, cores):
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    if preload:
        environment["LD_PRELOAD"] = preload
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=300, env=environment,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores))
    figures = {line["what"]: line["ns"] for line in map(json.loads, done.stdout.splitlines())}
    return done.returncode, {SAME.get(what, what): ns for what, ns in figures.items()}


def commands(context):
    """{column: ([argv...], preload)}"""
    found = {}
    for column, (programs, share) in PROGRAMS.items():
        paths = [os.path.join(context.build.folder, "bench", program) for program in programs]
        paths = [path for path in paths if os.path.exists(path)]
        if not paths:
            context.say(f"left out: {column} (not installed when this was built)")
            continue
        scale = str(share * context.scale(1, 0.2))
        found[column] = ([[path, scale] for path in paths], context.build.patch if column == "preloaded" else None)
    if kinds.have_gevent():
        found["gevent"] = ([[PYTHON, f"{ROOT}/bench/micro/gevent_core.py", str(context.scale(1, 0.2))]], None)
    return found


def run(context):
    variants = commands(context)

    def measure(column, how):
        figures = {}
        for argv in how[0]:
            status, more = run_one(argv, how[1], machine.one_core().server)
            if status != 0:
                context.failed(f"switch: {argv[0]} ended with {status}")
            figures.update(more)
        context.emit(scenario="switch", variant=column, **figures)
        return figures

    collected = rounds.interleave(variants, context.rounds, measure, enough=context.late)
    context.title(f"nanoseconds each, median of {context.rounds} rounds, on one core (the least in brackets)")

    def cell(column, what):
        median, least = rounds.median(collected[column], what), rounds.least(collected[column], what)
        return "-" if median is None else f"{median:,.1f} ({least:,.1f})".replace(",", " ")

    context.write(("operation", *variants), [(what, *(cell(column, what) for column in variants)) for what in ROWS])
    ours = collected["libgev"]
    more = [what for what in ours[0] if what not in ROWS]
    context.title("the native interface besides, nanoseconds each")
    context.write(("operation", "median", "least"),
                  [(what, rounds.median(ours, what), rounds.least(ours, what)) for what in more])
    for file, rows in CHARTS.items():
        context.chart({"file": file, "title": TITLES[file], "unit": "nanoseconds, less is better",
                       "log": True, "groups": {what: {column: rounds.median(collected[column], what)
                                                      for column in variants} for what in rows}})

"""asleep: very many at once, each of which has run, gone two calls deep, and sleeps: bytes each, page tables included, and CPU each."""
import json
import os
import subprocess

from kit import kinds, machine, rounds, table
from kit.tree import PYTHON, ROOT

QUESTION = "What do 100 000 that sleep cost, and do 1 000 000 fit?"
MANY, MILLION = 100_000, 1_000_000
NATIVE = 10_000  # as many threads as most systems let a process have

# name: (program, how many, seconds asleep, further arguments, preloaded); longer than making them takes
VARIANTS = {
    "libgev": ("asleep_gev", MANY, 0.5, (), False),
    "libgev, identities of their own": ("asleep_gev", MANY, 1, ("1", "own"), False),
    "preloaded": ("asleep_native", MANY, 1, (), True),
    "State Threads": ("asleep_st", MANY, 1, (), False),
    "Boost.Fiber": ("asleep_boost_fiber", MANY, 2, (), False),
    "Go": ("asleep_go", MANY, 1, (), False),
    "native threads": ("asleep_native", NATIVE, 2, (), False),
}


def commands(context):
    found = {}
    for name, (program, n, seconds, more, preload) in VARIANTS.items():
        path = os.path.join(context.build.folder, "bench", program)
        if not os.path.exists(path):
            context.say(f"left out: {name} (not installed when this was built)")
            continue
        found[name] = ([path, str(n), str(seconds), *more], preload)
    if kinds.have_gevent():
        found["gevent"] = ([PYTHON, f"{ROOT}/bench/micro/asleep_gevent.py", str(MANY), "9"], False)
    return found


def measure(context, name, how):
    argv, preload = how
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    if preload:
        environment["LD_PRELOAD"] = context.build.patch
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, env=environment,
                          preexec_fn=lambda: os.sched_setaffinity(0, machine.one_core().server))
    if done.returncode != 0 or not done.stdout:
        context.failed(f"asleep: {name}: status {done.returncode}: {done.stderr[-300:]}")
        return {}
    cycles = [json.loads(line) for line in done.stdout.splitlines()]
    for figures in cycles:
        figures["bytes"] = (figures["rss_kb"] + figures["pte_kb"] - figures["before_kb"]) * 1024 / figures["n"]
        figures["cpu_us"] = figures["cpu_s"] * 1e6 / figures["n"]
        context.emit(scenario="asleep", variant=name, **figures)
    return {**cycles[0], "last": cycles[-1]}


def run(context):
    variants = commands(context)
    collected = rounds.interleave(variants, context.scale(2, 1), lambda name, how: measure(context, name, how),
                                  table.progress)
    context.title("asleep at once: resident bytes and page tables each (native threads: and their kernel stacks, 16 KiB, "
                  "besides), CPU each from spawn to end")
    context.write(("", "how many", "bytes each", "CPU us each", "least"),
                  [(name, rounds.median(runs, "n"), rounds.median(runs, "bytes"), rounds.median(runs, "cpu_us"),
                    rounds.least(runs, "cpu_us")) for name, runs in collected.items()])
    for file, what, unit in (("asleep-memory", "bytes", "bytes each, page tables included"),
                             ("asleep-cpu", "cpu_us", "microseconds of CPU each, spawn to end")):
        context.chart({"file": file, "title": f"{MANY:,} asleep (native threads: {NATIVE:,})".replace(",", " "),
                       "unit": unit + ", less is better", "log": what == "cpu_us",
                       "groups": {"": {name: rounds.median(runs, what) for name, runs in collected.items()}}})
    million(context)


def million(context):
    """Again in one process: made, asleep, joined, made anew."""
    if memory_gib() < 8:
        context.say("a million greenlets: left out, this machine has less than 8 GiB")
        return
    cycles = context.scale(2, 1)
    first = measure(context, "a million", ([context.build.bench("asleep_gev"), str(MILLION), "4", str(cycles)], False))
    if not first:
        return
    context.title("1 000 000 greenlets with a guard page each, asleep two calls deep")
    context.write(("cycle", "VmRSS GiB", "VmPTE GiB", "sum GiB", "bytes each", "CPU us each"),
                  [(label, one["rss_kb"] / 2**20, one["pte_kb"] / 2**20, (one["rss_kb"] + one["pte_kb"]) / 2**20,
                    (one["rss_kb"] + one["pte_kb"]) * 1024 / one["n"], one["cpu_us"])
                   for label, one in (("first", first), (f"number {cycles}", first["last"]))[:cycles]])


def memory_gib():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30

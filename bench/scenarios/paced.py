"""paced: latency when there is room to breathe: a fixed rate for all, 70 % of what native threads can do at the most.

Requests leave evenly spaced, and each is measured from when it was due, so a stall is seen by all that it delayed.
"""
from kit import kinds, machine, rounds

QUESTION = "How long does a request take at 70 % load?"
CONNECTIONS = 1000
MOST = 3  # rounds


def run(context):
    pinning = machine.as_started()
    most = context.load_rounds("paced, the most", {"native threads": kinds.native}, pinning, connections=CONNECTIONS,
                               seconds=0.5, most=MOST)
    most = rounds.median(most["native threads"], "per_second")
    if not most:
        return
    rate = int(0.7 * most)
    collected = context.load_rounds("paced", kinds.c_kinds(), pinning, connections=CONNECTIONS, rate=rate, most=MOST,
                                    seconds=context.scale(1.5, 0.7))
    context.title(f"{rate} requests a second over {CONNECTIONS} connections (70 % of what native threads reach), "
                  f"nothing pinned, median of {context.fewer(MOST)} rounds")
    figures = ("per_second", "p50_us", "p99_us", "max_us", "cpu_us_per_request")
    context.write(("server", "req/s", "p50 us", "p99 us", "max us", "CPU us/req", "wrong"), [
        (name, *(rounds.median(runs, what) for what in figures),
         rounds.total(runs, "wrong") + rounds.total(runs, "errors")) for name, runs in collected.items()])

"""brief: a connection per request: accept, a thread or greenlet, one answer, its end."""
from kit import kinds, machine, rounds, table

QUESTION = "What does a short connection cost?"
AT_A_TIME = 100
MOST = 3  # rounds


def run(context):
    found = []
    for pinning in context.scale((machine.one_core(), machine.as_started()), (machine.one_core(),)):
        collected = context.load_rounds("brief", kinds.c_kinds(), pinning, connections=AT_A_TIME,
                                        requests=context.scale(20_000, 8_000), warmup=2_000, brief=True, most=MOST)
        for name, runs in collected.items():
            found.append((pinning.name, name, rounds.median(runs, "per_second"), rounds.median(runs, "p50_us"),
                          rounds.median(runs, "p99_us"), rounds.median(runs, "cpu_us_per_request"),
                          table.times(rounds.ratio(runs, collected["native threads"], "cpu_us_per_request")),
                          rounds.total(runs, "wrong") + rounds.total(runs, "errors")))
    context.title(f"short connections, one answer each, {AT_A_TIME} at a time, median of {context.fewer(MOST)} rounds")
    context.write(("", "server", "connections/s", "p50 us", "p99 us", "CPU us each", "/ native", "wrong"), found)

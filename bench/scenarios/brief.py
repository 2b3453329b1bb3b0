"""brief: a connection per request: accept, a thread or greenlet, one answer, its end."""
from kit import kinds, machine, rounds, table

QUESTION = "What does a short connection cost?"
AT_A_TIME = 100


def run(context):
    found = []
    for pinning in (machine.one_core(), machine.as_started()):
        collected = context.load_rounds("brief", kinds.c_kinds(), pinning, connections=AT_A_TIME,
                                        requests=context.scale(50_000, 15_000), warmup=2_000, brief=True)
        for name, runs in collected.items():
            found.append((pinning.name, name, rounds.median(runs, "per_second"), rounds.median(runs, "p50_us"),
                          rounds.median(runs, "p99_us"), rounds.median(runs, "cpu_us_per_request"),
                          table.times(rounds.ratio(runs, collected["native threads"], "cpu_us_per_request")),
                          rounds.total(runs, "wrong") + rounds.total(runs, "errors")))
    context.title(f"short connections, one answer each, {AT_A_TIME} at a time, median of {context.rounds} rounds")
    table.write(("", "server", "connections/s", "p50 us", "p99 us", "CPU us each", "/ native", "wrong"), found)

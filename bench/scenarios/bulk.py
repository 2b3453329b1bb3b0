"""bulk: large messages: what a byte costs rather than what a request costs. The servers read 1 KiB at a time."""
from kit import kinds, machine, rounds, table

QUESTION = "How many bytes go through?"
SIZE = 64 * 1024
MOST = 3  # rounds


def run(context):
    found = []
    for connections in (1, 100):
        collected = context.load_rounds("bulk", kinds.c_kinds(), machine.as_started(), connections=connections,
                                        size=SIZE, most=MOST, seconds=context.scale(0.7, 0.4))
        for name, runs in collected.items():
            rate = rounds.median(runs, "per_second")
            cpu = rounds.median(runs, "cpu_us_per_request")
            found.append((str(connections), name, rate and rate * SIZE / 2**20, cpu and cpu * 2**20 / SIZE,
                          table.times(rounds.ratio(runs, collected["native threads"], "per_second")),
                          rounds.total(runs, "wrong") + rounds.total(runs, "errors")))
    context.title(f"messages of {SIZE // 1024} KiB, there and back, nothing pinned, median of {context.fewer(MOST)} rounds")
    context.write(("connections", "server", "MiB/s", "CPU us/MiB", "/ native", "wrong"), found)

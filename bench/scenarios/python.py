"""python: CPython's unmodified ThreadingTCPServer, natively and preloaded, beside the same one patched by gevent."""
from kit import kinds, machine, rounds, table

MOST = 3  # rounds
QUESTION = "What does an unmodified threaded Python server gain?"
HEAD = ("connections", "server", "OS threads", "memory MiB", "req/s", "/ native", "p50 us", "p99 us", "CPU us/req",
        "wrong")


def rows(connections, collected):
    for name, runs in collected.items():
        memory = rounds.median(runs, "open.memory_kb")
        yield (str(connections), name, rounds.median(runs, "open.threads"), memory and memory / 1024,
               rounds.median(runs, "per_second"),
               table.times(rounds.ratio(runs, collected["native threads"], "per_second")),
               rounds.median(runs, "p50_us"), rounds.median(runs, "p99_us"), rounds.median(runs, "cpu_us_per_request"),
               rounds.total(runs, "wrong") + rounds.total(runs, "errors"))


def run(context):
    ways = (("nothing pinned", machine.as_started()), ("server on one core, client on another", machine.one_core()))
    for title, pinning in ways[:context.scale(2, 1)]:
        found = []
        for connections in (500, 2000):
            collected = context.load_rounds("python", kinds.python_kinds(), pinning, connections=connections,
                                            most=MOST, seconds=context.scale(1, 0.5))
            found += rows(connections, collected)
        context.title(f"CPython ThreadingTCPServer, 16 bytes, {title}, median of {context.fewer(MOST)} rounds")
        context.write(HEAD, found)

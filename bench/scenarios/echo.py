"""echo: the C thread-per-connection server, natively and preloaded, beside a hand-written epoll server."""
from kit import kinds, machine, rounds, table

QUESTION = "What does a request cost in an unmodified threaded C server?"
HEAD = ("connections", "server", "OS threads", "req/s", "p50 us", "p99 us", "CPU us/req", "least", "/ epoll",
        "/ native", "wrong")


def rows(connections, collected):
    native, epoll = collected["native threads"], collected["hand-written epoll"]
    for name, runs in collected.items():
        yield (str(connections), name, rounds.median(runs, "open.threads"), rounds.median(runs, "per_second"),
               rounds.median(runs, "p50_us"), rounds.median(runs, "p99_us"), rounds.median(runs, "cpu_us_per_request"),
               rounds.least(runs, "cpu_us_per_request"),
               table.times(rounds.ratio(runs, epoll, "cpu_us_per_request")),
               table.times(rounds.ratio(runs, native, "cpu_us_per_request")),
               rounds.total(runs, "wrong") + rounds.total(runs, "errors"))


def measure(context, title, pinning, cases):
    found = []
    for connections, active in cases:
        requests = context.scale(200_000, 60_000)
        collected = context.load_rounds("echo", kinds.c_kinds(), pinning, connections=connections, active=active,
                                        requests=requests)
        label = connections if active == connections else f"{connections} ({active} active)"
        found += rows(label, collected)
    context.title(f"echo, 16 bytes, {title}, median of {context.rounds} rounds")
    table.write(HEAD, found)


def run(context):
    cases = [(100, 100), (1000, 1000), (8000, 8000), (8000, 100)]
    measure(context, "server on one core, client on another", machine.one_core(), cases)
    measure(context, "nothing pinned", machine.as_started(), cases[:3])

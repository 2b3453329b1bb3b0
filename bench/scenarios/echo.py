"""echo: the C thread-per-connection server, natively and preloaded, beside a hand-written epoll server and other libraries."""
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


def measure(context, title, pinning, cases, most=None):
    found, medians = [], {}
    for connections, active, servers in cases:
        requests = context.scale(50_000, 20_000)
        collected = context.load_rounds("echo", servers, pinning, connections=connections, active=active,
                                        requests=max(requests, 2 * active), most=most)
        label = connections if active == connections else f"{connections} ({active} active)"
        found += rows(label, collected)
        medians[f"{label} connections"] = {name: rounds.median(runs, "cpu_us_per_request")
                                           for name, runs in collected.items()}
    context.title(f"echo, 16 bytes, {title}, median of {context.fewer(most or context.rounds)} rounds")
    context.write(HEAD, found)
    return medians


def run(context):
    everybody, few = kinds.all_kinds(context), kinds.c_kinds()
    medians = measure(context, "server on one core, client on another", machine.one_core(),
                      [(100, 100, everybody), (1000, 1000, everybody), (8000, 8000, context.scale(everybody, few)),
                       (8000, 100, few)])
    context.chart({"file": "echo", "title": "echo: CPU of the server for a request", "groups": medians,
                   "unit": "microseconds, less is better"})
    measure(context, "nothing pinned", machine.as_started(),
            context.scale([(100, 100, few), (1000, 1000, few), (8000, 8000, few)], [(1000, 1000, few)]), most=3)

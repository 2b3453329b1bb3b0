"""syscalls: how often the server enters the kernel for one request. A count: it is the same on every machine."""
from kit import calls, kinds, machine, rounds

QUESTION = "How many system calls does a request cost?"


def run(context):
    how = calls.method()
    if not how:
        context.title("system calls per request: neither perf nor strace works here; not counted")
        return
    found = []
    # under strace a short run, and its figures are marked: a server slowed that much batches differently
    requests = context.scale(50_000, 20_000) if how == "perf" else 3_000
    cases = ((100, kinds.all_kinds(context)), (1000, kinds.c_kinds()), (8000, kinds.c_kinds()))
    for connections, servers in cases[:context.scale(3, 1)]:
        collected = context.load_rounds("syscalls", servers, machine.one_core(), around=calls.counter,
                                        most=2,
                                        connections=connections, requests=max(requests, 4 * connections))
        for name, runs in collected.items():
            found.append((str(connections), name, rounds.median(runs, "calls_per_request"),
                          rounds.least(runs, "calls_per_request")))
    context.title(f"system calls per request, counted by {how}, server on one core")
    context.write(("connections", "server", "median", "least"), found)

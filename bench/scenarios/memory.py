"""memory: what an open, idle connection costs: resident memory and page tables of the server.

Each connection has carried one message, so its thread has run and its stack is touched. Two figures: the whole growth
divided by the connections (in which what is loaded once counts too), and the slope between few and many connections.
"""
from kit import kinds, machine, rounds

QUESTION = "What does an idle connection cost?"
FEW, MANY = 1000, 8000
MOST = 2  # rounds: memory hardly varies


def grown(figures):
    return figures["open"]["memory_kb"] - figures["before"]["memory_kb"] if "open" in figures else None


def run(context):
    kinds_here = kinds.all_kinds(context)
    runs = {}
    for connections in (FEW, MANY):
        runs[connections] = context.load_rounds("memory", kinds_here, machine.as_started(), connections=connections,
                                                active=0, warmup=0, requests=1, most=MOST)
        for figures in sum(runs[connections].values(), []):
            if grown(figures) is not None:
                figures["grown_kb"] = grown(figures)
    found = []
    for name in kinds_here:
        few, many = (rounds.median(runs[n][name], "grown_kb") for n in (FEW, MANY))
        slope = (many - few) * 1024 / (MANY - FEW) if few is not None and many is not None else None
        found.append((name, rounds.median(runs[MANY][name], "open.threads"),
                      rounds.median(runs[MANY][name], "open.rss_kb"), rounds.median(runs[MANY][name], "open.pte_kb"),
                      many and many * 1024 / MANY, slope))
    context.title(f"memory of {MANY} idle connections: user memory and page tables, no kernel stacks, no sockets")
    context.write(("server", "OS threads", "VmRSS KiB", "VmPTE KiB", "growth bytes each", "slope bytes each"), found)
    context.chart({"file": "connection-memory", "title": f"memory of an idle connection, of {MANY}",
                   "unit": "bytes of the server's user memory and page tables, less is better",
                   "groups": {"": {row[0]: row[-1] for row in found}}})

"""counts: instructions an operation executes in user space, counted by callgrind: no noise, the same on every day.

bench/micro/gev_counts does one operation N times; a run with 2 N less a run with N is what N cost. Callgrind sees no kernel.
"""
import os
import re
import subprocess
import tempfile

QUESTION = "How many instructions does an operation take?"
TIMES = 2000
OPERATIONS = {
    "yield": "yield",
    "yield-own": "yield that changes identity",
    "spawn-join": "spawn, run, join, release",
    "spawn-join-own": "the same with an identity of its own",
    "park-wake": "park, wake and a yield",
    "lot": "lot_wait, lot_wake and a yield",
    "sleep": "sleep for the shortest time",
    "request": "echo request, server and client",
}
DEAREST = 5


def profile(program, operation, times):
    """{function: instructions of its own}"""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, "-q", program, operation, str(times)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=200)
        text = subprocess.run(["callgrind_annotate", "--threshold=100", "--show-percs=no", "--auto=no", out], check=True,
                              stdout=subprocess.PIPE, text=True, timeout=100).stdout
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*([\d,]+)\s+(?:\S*:)?(\S+)(?: \[.*)?$", line)
        if match and "PROGRAM" not in line:
            function = match.group(2).split("'")[0]  # 'name'2: the same, called from within itself
            found[function] = found.get(function, 0) + int(match.group(1).replace(",", ""))
    return found


def run(context):
    try:
        subprocess.run(["valgrind", "--version"], check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        context.title("instructions an operation: valgrind is not installed; not counted")
        return
    program = context.build.bench("gev_counts")
    rows, dear = [], []
    for operation, name in OPERATIONS.items():
        try:
            once, twice = profile(program, operation, TIMES), profile(program, operation, 2 * TIMES)
        except subprocess.CalledProcessError as failure:
            context.failed(f"counts: {operation}: {failure.stderr[-500:]!r}")
            continue
        each = {function: (twice[function] - once.get(function, 0)) / TIMES for function in twice}
        total = sum(each.values())
        context.emit(scenario="counts", operation=operation, instructions=round(total, 1))
        rows.append((name, total))
        for function in sorted(each, key=each.get, reverse=True)[:DEAREST]:
            dear.append((name, function, each[function], f"{100 * each[function] / total:.0f} %"))
            name = ""
    context.title("instructions in user space an operation, counted by callgrind")
    context.write(("operation", "instructions"), rows)
    context.title(f"where they go: the {DEAREST} functions with the most of their own")
    context.write(("operation", "function", "instructions", ""), dear)

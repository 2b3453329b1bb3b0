"""watch: what looking on costs, in instructions, which callgrind counts: the same on every machine, to the last few.

The same program with N and with 2 N operations; the difference, divided by N, is one operation without start and end.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from kit import table

QUESTION = "What does it cost to look on: control socket, dump, statistics, monitor, trace?"

VARIANTS = [("off", {}), ("GEV_MONITOR=1", {"GEV_MONITOR": "1"}), ("GEV_CONTROL=1", {"GEV_CONTROL": "1"}),
            ("GEV_DUMP=SIGUSR2", {"GEV_DUMP": "SIGUSR2"}), ("GEV_STATS=1", {"GEV_STATS": "1,/dev/null"}),
            ("GEV_TRACE=all", {"GEV_TRACE": "all"})]
# The name of an operation, and how many of what it stands for happen in it.
OPERATIONS = [("yield", "two switches"), ("echo", "a message there and back"), ("spawn", "a thread made and joined")]
N = 2000


def counted(build, operation, n, environment):
    """Instructions of the whole process; None: it failed. Without time slices, which would count the machine's speed."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "log")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GEV_")}
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}", "--",
                               build.bench("watched"), operation, str(n)],
                              env=clean | environment | {"LD_PRELOAD": build.patch, "XDG_RUNTIME_DIR": folder, "GEV_SLICE": "off"},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = re.search(r"Collected : (\d+)", log.read_text())
        return int(found[1]) if done.returncode == 0 and found else None


def run(context):
    if not shutil.which("valgrind"):
        context.title("instructions of looking on: no valgrind here; not counted")
        return
    rows = []
    for name, environment in VARIANTS:
        row = [name]
        for operation, _ in OPERATIONS:
            table.progress(f"watch: {name}, {operation}")
            once, twice = (counted(context.build, operation, n, environment) for n in (N, 2 * N))
            if once is None or twice is None:
                context.failed(f"watch: {name}, {operation}: no count")
                row.append(None)
                continue
            row.append((twice - once) / N)
            context.emit(scenario="watch", variant=name, operation=operation, instructions=row[-1])
        rows.append(row)
    context.title("instructions an operation, preloaded, all threads of the process, counted by callgrind")
    context.write(("watchers", *(what for _, what in OPERATIONS)), rows)

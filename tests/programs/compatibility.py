#!/usr/bin/env python3
"""docs/compatibility.md: compatibility.py BUILD [--write PAGE] [NAME...]: for each program of programs.py, what `gev check` predicts, and what
the monitor and the statistics observe while it works.

Each program runs natively and with the shim, and has to answer the same. "Agree" goes both ways:
  - whatever was observed to keep the others waiting in a call had been predicted: it is not covered, or it goes past libc;
  - a program of which nothing had been predicted is not observed in any such call.
What was predicted and not met in this run is counted, and says nothing: that a function is imported does not say that it is called.

Prints a line a program. With --write, their rows of the page are made anew. Ends with 1 if prediction and observation disagree.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

import programs
import running

MAX_BLOCKING = "20ms"
STATISTICS = "statistics"  # a file in the program's folder

HEAD = """# Compatibility: programs from Debian, predicted and observed

This page is made by `./dev compatibility`, which runs `tests/programs/compatibility.py`: every program natively and with the shim, under
a small load of twenty clients or its own work; both must answer the same. A row is that of the program's last run.

* **predicted**: what `gev check` says before: functions of libc that are cooperative / that wait for nobody else / that are not covered; and
  system calls past libc.
* **observed**: what the monitor (`GEV_MONITOR=1 GEV_MAX_BLOCKING=%s`) then saw: the calls in which one thread kept all others waiting; and
  what the statistics (`GEV_STATS`) counted: calls that passed through to libc while other threads could have run. A thread that computes for
  long is another matter, and only counted.
* **agree**: what was observed had been predicted, and where nothing had been predicted nothing was observed.

""" % MAX_BLOCKING


def predict(gev, case):
    """None: a Go program."""
    name = case.name
    done = subprocess.run([gev, "check", "--json", name], capture_output=True, text=True,
                          env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"))
    if done.returncode == 2 and "Go program" in done.stdout:
        return None
    if done.returncode not in (0, 1):
        raise RuntimeError(f"gev check {name}: {done.stderr}")
    return json.loads(done.stdout)


STALL = re.compile(r"^libgev: .*? (sits in the system call (\w+)|computes): no other has run")
FRAME = re.compile(r"^  #\d+ (\S+?)(?:\+0x[0-9a-f]+)?(?: \S+:\d+)? \((\S+)\)$")


OWN = "libgev's own"


def observe(text):
    """{call: how often}, and how often one computed. The call is the function of libc, where the stack shows it, that the program had called;
    else the system call."""
    calls, computed = {}, 0
    lines = text.splitlines()
    for at, line in enumerate(lines):
        found = STALL.match(line)
        if not found:
            continue
        if not found[2]:
            computed += 1
            continue
        name = found[2]
        for frame in map(FRAME.match, lines[at + 1:]):
            if not frame or not frame[2].startswith("libc.so"):
                # What libgev itself does is nothing that the program imports.
                name = OWN if frame and frame[2].startswith("libgev.so") else name
                break
            name = frame[1]
        calls[name] = calls.get(name, 0) + 1
    return calls, computed


def passed_through(text):
    """{symbol: calls}, of all processes that wrote statistics: a JSON object a line."""
    calls = {}
    for line in text.splitlines():
        for one in json.loads(line).get("passed_through", []):
            calls[one["symbol"]] = calls.get(one["symbol"], 0) + one["calls"]
    return calls


def plain(name):
    """Without the underscores and suffixes that libc's own names of a function have."""
    return re.sub(r"^_+(libc_)?|_nocancel$|64$", "", name)


def judge(report, calls):
    """(the observed calls that were not predicted, how many of the predicted were not met)"""
    opened = {plain(f["name"]) for f in report["functions"] if f["standing"] == "not covered"}
    past = {plain(c["name"]) for c in report["system_calls"] if c["standing"] == "not covered"}
    surprises = sorted(name for name in calls if name != OWN and plain(name) not in opened | past and "an unknown one" not in past)
    return surprises, len(opened | past) - len({plain(name) for name in calls} & (opened | past))


def examine(gev, case, report):
    native = running.run(case).answer
    run = running.run(case, [gev, "run", "--"], {"GEV_MONITOR": "1", "GEV_MAX_BLOCKING": MAX_BLOCKING, "GEV_STATS": f"json,{STATISTICS}"},
                      [STATISTICS])
    green = run.answer
    calls, computed = observe(run.error)
    passed = passed_through(run.files[STATISTICS])
    surprises, unmet = judge(report, {**passed, **calls})
    counts = [sum(f["standing"] == standing for f in report["functions"]) for standing in ("cooperative", "harmless", "not covered")]
    past = sum(len(c["users"]) for c in report["system_calls"] if c["standing"] == "not covered")
    works = "yes" if native == green else green if isinstance(green, str) else "answers differ"
    if isinstance(native, str):
        works = f"not natively: {native}"
    return {"case": case, "counts": counts, "past": past, "calls": calls, "passed": passed, "computed": computed, "works": works, "surprises": surprises,
            "unmet": unmet, "agree": not surprises}


def cell(result):
    seen = [f"`{name}` {n} x" for name, n in sorted(result["calls"].items())] or ["nothing"]
    passed = [f"`{name}`" for name in sorted(result["passed"])]
    return (", ".join(seen) + (f"; passed through: {', '.join(passed)}" if passed else "") +
            (f"; computed {result['computed']} x" if result["computed"] else ""))


def row(result):
    case = result["case"]
    predicted = " / ".join(map(str, result["counts"])) + (f", {result['past']} past libc" if result["past"] else "")
    agree = "yes" if result["agree"] else "no: " + ", ".join(f"`{name}`" for name in result["surprises"])
    return (f"| `{os.path.basename(case.name)}` {case.version()} | {case.what} | {predicted} | {cell(result)} | {result['works']} "
            f"| {agree} | {result['unmet']} |")


def rows_of(page):
    """The page's rows, by their first two cells without the version."""
    lines = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    return {key_of(line): line for line in lines if line.startswith("| `")}


def key_of(line):
    cells = [cell.strip() for cell in line.split("|")]
    return cells[1].split()[0], cells[2]


def page_of(rows):
    table = ["| program | what | predicted | observed | answers as natively | agree | predicted, not met |", "|---|---|---|---|---|---|---:|", *rows]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return (HEAD + "\n".join(table) + f"\n\n{len(rows)} programs: prediction and observation agree for {sum(c[6] == 'yes' for c in cells)}, "
            f"{sum(c[5] == 'yes' for c in cells)} answer as natively.\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    gev = str((options.build / "tools/gev").resolve())
    results, missing = [], []
    for case in programs.CASES:
        if case.name.endswith((".c", ".d", ".pas")) or options.names and not any(name in case.title for name in options.names):
            continue
        if not case.version():
            missing.append(case.package)
            continue
        report = predict(gev, case)
        if report is None:
            print(f"{case.title}: nothing to predict, its threads stay real")
            continue
        results.append(examine(gev, case, report))
        print(row(results[-1]), flush=True)
    if missing:
        print(f"not installed: {' '.join(missing)}", file=sys.stderr)
    if options.write:
        rows = rows_of(options.write) | {key_of(row(result)): row(result) for result in results}
        order = [(f"`{os.path.basename(case.name)}`", case.what) for case in programs.CASES]
        options.write.write_text(page_of([rows[key] for key in order if key in rows]), encoding="utf-8")
    return 0 if results and all(result["agree"] for result in results) and not missing else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Makes docs/coverage.md from symbols.def.

    page.py DUMP            prints the page
    page.py DUMP write PAGE writes it
    page.py DUMP check PAGE fails if the page in the tree is not this one
"""

import difflib
import os
import sys

import ledger

INTRODUCTION = """\
# Coverage: what libpatch.so does with each function of libc

This page is made from `shim/base/symbols.def`. After a change there: `meson compile -C build coverage-page`.

Every function of libc that can block, or that has to do with threads, descriptors or processes, is in one of five states:

* **cooperative**: the shim has a wrapper (or, of some streams' functions, one around what they wait in). Whoever waits in it lets the other
  green threads go on. The fixture named beside it shows that, natively and preloaded with the same output: a test counts that in it a green thread
  parks in this call, and that another gets on meanwhile (`tests/ledger/parks.py`, which also names the four that nothing here can make wait, and why).
  `ioctl` is so in the requests of terminals that wait (ioctl_tty(2)), and in those of file systems and block devices that freeze, trim, clone, discard or
  flush. What another device's driver makes of a request (a camera's next frame, a virtual machine that runs) waits as natively, and everybody with it: a thread
  that makes such is to be named in `GEV_NATIVE`.
* **wrapped, never waits**: the shim has a wrapper that answers for the green thread, or that is there so that it knows of the call (of a descriptor
  made or duplicated, a lock let go, a signal's handler set). It waits for nobody. The fixture beside it calls it.
* **holds for all**: what it sets, the kernel keeps for its thread, and all green threads run on one: it holds for all of them. The wrapper says so on
  standard error, once, if there are others when it is called. A thread that needs its own is to be named in `GEV_NATIVE`.
* **passes through**: libc's own stays as it is, for one of the reasons below.
* **not yet**: ought to be cooperative and is libc's own until then. The table says what that means for a program.

What belongs here is listed by rule in `tests/ledger/blocking.txt` (POSIX's cancellation points, Linux's own blocking calls, all of
threads, descriptors, processes, signals, stdio, names, queues, and every fortified or aliased form of these); a test holds that
list and this table against the libc of the machine. Everything else in libc computes, and is not touched.
"""

# In the order of the page. A family that is not here comes at the end under its own name.
FAMILIES = {
    "time": "Time",
    "io": "Reading and writing",
    "file": "Files and directories",
    "descriptor": "The life of descriptors",
    "socket": "Sockets",
    "poll": "Waiting for several descriptors",
    "process": "Processes",
    "thread": "Threads",
    "mutex": "Mutexes",
    "cond": "Condition variables",
    "rwlock": "Read-write locks",
    "barrier": "Barriers",
    "spin": "Spin locks",
    "sem": "Semaphores",
    "c11": "C11 threads",
    "signal": "Signals",
    "stdio": "Streams",
    "names": "Names: hosts, services, accounts",
    "ipc": "System V and POSIX queues, semaphores, shared memory",
    "aio": "Asynchronous I/O",
    "uring": "liburing",
    "loader": "The dynamic loader",
    "rpc": "Sun RPC",
}
WITHIN = "within"  # cooperative without a wrapper
STATES = {"green": "cooperative", "aware": "wrapped, never waits", "shared": "holds for all", "pass": "passes through", "later": "not yet"}
SORTS = {state: i for i, state in enumerate(STATES)}


def resolve(rows):
    """Each symbol once: an alias takes family and state of what it stands for; originals say nothing of their own."""
    by_name = {row.symbol: row for row in rows if row.state != "original"}
    for row in by_name.values():
        if row.state == "alias":
            target = by_name[row.detail]
            yield ledger.Row(row.symbol, target.state, target.family, target.detail)
        elif row.state == WITHIN:
            yield ledger.Row(row.symbol, "green", row.family, row.detail)
        else:
            yield row


def describe(row):
    if row.state in ("green", "aware", "shared"):
        return f"fixture `{row.detail}`"
    if row.state == "pass":
        return row.detail.lower().replace("_", " ")
    return row.detail


def by_name(row):
    return row.symbol.lstrip("_").lower(), row.symbol


def render(rows, reasons):
    rows = list(resolve(rows))
    total = {state: sum(row.state == state for row in rows) for state in STATES}
    out = [INTRODUCTION]
    out.append("| " + " | ".join(["family", *STATES.values(), "in all"]) + " |")
    out.append("|---|" + "---:|" * (len(STATES) + 1))
    families = list(FAMILIES) + sorted({row.family for row in rows} - set(FAMILIES))
    for family in families:
        here = [row.state for row in rows if row.family == family]
        if here:
            name = FAMILIES.get(family, family)
            out.append(f"| {name} | " + " | ".join(str(here.count(s)) for s in STATES) + f" | {len(here)} |")
    out.append("| **all** | " + " | ".join(f"**{n}**" for n in total.values()) + f" | **{len(rows)}** |")
    out.append("\n## Why a function may pass through\n")
    out.append("| reason | means | functions |\n|---|---|---:|")
    for reason, sentence in reasons.items():
        used = sum(row.state == "pass" and row.detail == reason for row in rows)
        out.append(f"| {reason.lower().replace('_', ' ')} | {sentence} | {used} |")
    for family in families:
        here = sorted((row for row in rows if row.family == family), key=lambda row: (SORTS[row.state], by_name(row)))
        if here:
            out.append(f"\n## {FAMILIES.get(family, family)}\n")
            out.append("| symbol | state | why, or which fixture |\n|---|---|---|")
            out += [f"| `{row.symbol}` | {STATES[row.state]} | {describe(row)} |" for row in here]
    return "\n".join(out) + "\n"


def compare(path, text):
    """Empty if the file says `text`; else what is wrong with it."""
    if not os.path.exists(path):
        return f"{path} does not exist"
    with open(path, encoding="utf-8") as file:
        old = file.read()
    return "".join(difflib.unified_diff(old.splitlines(True), text.splitlines(True), path, "from symbols.def", n=0))


def main(arguments):
    dump = arguments[0]
    text = render(ledger.read_rows(dump), ledger.read_reasons(dump))
    if len(arguments) == 1:
        sys.stdout.write(text)
        return 0
    action, path = arguments[1:]
    if action == "write":
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    difference = compare(path, text)
    print(difference or f"{path} is up to date")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

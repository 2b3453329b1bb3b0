#!/usr/bin/env python3
"""Holds shim/base/symbols.def against the libc of this machine, against libpatch.so and against the fixtures.

    check.py rows     DUMP                    the rows agree with each other
    check.py covers   DUMP BLOCKING LIBC      what libc exports and BLOCKING lists has a row; what is for old programs, no new one can get
    check.py exports  DUMP LIBPATCH LIBC      libpatch.so exports the green rows and their aliases, and nothing else
    check.py fixtures DUMP TWINS              the fixture of each green row, and of each that waits within a green one, is a program in the folder TWINS, which is run,
                                              and which calls the function

DUMP is the program made from dump.c. LIBC may be "-": the one that this Python runs on.
"""

import collections
import os
import pathlib
import re
import sys

import ledger

WRAPPED = ("green", "aware", "shared")
OURS = (*WRAPPED, "alias")
SHOWN = (*WRAPPED, "within")  # by a fixture

# Names that newer libcs have, and that are wrapped before they come.
NEWER = ("__isoc23_", "pthread_gettid_np", "sched_setattr")

# Families of functions that other libraries export, and libc does not.
ELSEWHERE = {"uring"}

# No source need name these: the start-up code of every program calls the one, libstdc++'s guards and atomics the other.
CALLED_UNSEEN = {"__libc_start_main", "syscall"}


def traced():
    """The families that GEV_TRACE knows."""
    header = pathlib.Path(__file__).parents[2] / "lib" / "base" / "options-read.h"
    value = re.search(r"#define PATCH_TRACE_FAMILIES(.*?[^\\])\n", header.read_text(encoding="utf-8"), re.S)[1]
    return set("".join(re.findall(r'"([^"]*)"', value)).split("|"))


def check_rows(rows):
    """No symbol has two states, each alias leads to a wrapper that can be traced, and the ledger says something of each original."""
    families = {row.family for row in rows if row.state in WRAPPED}
    wrong = [f"{family}: a family that GEV_TRACE does not know" for family in sorted(families - traced())]
    count = collections.Counter(row.symbol for row in rows if row.state != "original")
    wrong += [f"{symbol}: {n} rows" for symbol, n in sorted(count.items()) if n > 1]
    green = {row.symbol for row in rows if row.state in WRAPPED}
    for row in rows:
        if row.state == "alias" and row.detail not in green:
            wrong.append(f"{row.symbol}: an alias of {row.detail}, which is not green")
        if row.state == "original" and row.symbol not in count:
            wrong.append(f"{row.symbol}: an original without a PASS or LATER row")
        if row.state == "original" and row.symbol in green:
            wrong.append(f"{row.symbol}: a green row is an original already")
        if row.state == "later" and not row.detail.strip("- "):
            wrong.append(f"{row.symbol}: does not say what happens until it is cooperative")
    return wrong


def check_covers(rows, groups, exported):
    known = {row.symbol for row in rows if row.state != "original"}
    wrong = []
    for symbol in sorted(exported - known):
        group = ledger.group_of(symbol, groups)
        if group:
            wrong.append(f"{symbol}: no row; it belongs to [{group.name}]: {group.rule} ({group.source})")
    return wrong


def check_old(rows, linkable):
    """Nobody can be linked with what is kept for old programs alone."""
    return [f"{row.symbol}: is said to be for old programs, and libc gives it to new ones too"
            for row in rows if row.state == "pass" and row.detail == "OLD_PROGRAMS" and row.symbol in linkable]


def check_exports(rows, ours, libc):
    wanted = {row.symbol for row in rows if row.state in OURS}
    wrong = [f"{symbol}: green or an alias, but libpatch.so does not export it" for symbol in sorted(wanted - ours)]
    wrong += [f"{symbol}: libpatch.so exports it, but no green row says so" for symbol in sorted(ours - wanted)]
    wanted -= {row.symbol for row in rows if row.family in ELSEWHERE or row.symbol.startswith(NEWER)}
    wrong += [f"{symbol}: green or an alias, but libc has no such function" for symbol in sorted(wanted - libc)]
    return wrong


def calls(source, symbol):
    """Whether the source names the symbol, or the plain name that the compiler turns into it."""
    return any(re.search(rf"\b{re.escape(name)}\b", source) for name in ledger.stems(symbol))


def check_fixtures(rows, sources, run):
    """sources: name of a fixture -> its text; run: the names that the folder's meson.build runs."""
    wrong = []
    for row in rows:
        if row.state not in SHOWN:
            continue
        if row.detail not in sources:
            wrong.append(f"{row.symbol}: its fixture {row.detail} is not in tests/twins")
        elif row.detail not in run:
            wrong.append(f"{row.symbol}: its fixture {row.detail} is not run by tests/twins/meson.build")
        elif row.symbol not in CALLED_UNSEEN and not calls(sources[row.detail], row.symbol):
            wrong.append(f"{row.symbol}: its fixture {row.detail} does not call it")
    return wrong


def read_fixtures(folder):
    """What check_fixtures wants to know of the folder. The folder's headers and tables (NAME.def) count as parts of the fixtures that include them."""

    def read(entry):
        with open(os.path.join(folder, entry), encoding="utf-8") as file:
            text = file.read()
        included = [header for header in re.findall(r'^#include "(\w+\.(?:h|def))"', text, re.M) if os.path.exists(os.path.join(folder, header))]
        return text + "".join(read(header) for header in included)

    sources = {}
    for entry in os.listdir(folder):
        name, extension = os.path.splitext(entry)
        if extension in (".c", ".cc"):
            sources[name] = read(entry)
    with open(os.path.join(folder, "meson.build"), encoding="utf-8") as file:
        run = set(re.findall(r"'(\w+)'", file.read()))
    return sources, run


def libc_path(path):
    """The libc that this process runs on: the one whose functions a preloaded program would meet."""
    if path != "-":
        return path
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return next(line.split()[-1] for line in maps if "/libc.so.6" in line)


def main(arguments):
    what, dump = arguments[:2]
    rows = ledger.read_rows(dump)
    if what == "rows":
        wrong = check_rows(rows)
    elif what == "covers":
        libc = libc_path(arguments[3])
        wrong = check_covers(rows, ledger.read_groups(arguments[2]), ledger.exported_functions(libc))
        wrong += check_old(rows, ledger.linkable_functions(libc))
    elif what == "exports":
        wrong = check_exports(
            rows, ledger.exported_functions(arguments[2]), ledger.exported_functions(libc_path(arguments[3]))
        )
    elif what == "fixtures":
        wrong = check_fixtures(rows, *read_fixtures(arguments[2]))
    else:
        raise SystemExit(__doc__)
    print(*wrong, sep="\n")
    print(f"{what}: {len(rows)} rows, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""What the ledger's test and its page share: the rows of symbols.def, the symbols of an ELF file, the list in blocking.txt."""

import collections
import re
import subprocess

Row = collections.namedtuple("Row", "symbol state family detail")
Group = collections.namedtuple("Group", "name rule source names patterns")

# The decorations that libc puts around a name and that leave its meaning alone. Tried until nothing changes.
DECORATIONS = [
    (r"^__(isoc99|isoc23)_(.+)$", r"\2"),  # <stdio.h>: the scanf of C99 and of C23
    (r"^_IO_(.+)$", r"\1"),                # libio's own names of stdio
    (r"^__(.+)_chk$", r"\1"),              # _FORTIFY_SOURCE, sizes checked
    (r"^__(.+)_2$", r"\1"),                # _FORTIFY_SOURCE, open without a mode
    (r"^__(.+)$", r"\1"),                  # names outside the program's name space
    (r"^(.+)_unlocked$", r"\1"),           # stdio without the FILE's lock
    (r"^(.+)_r$", r"\1"),                  # re-entrant
    (r"^(.+)64$", r"\1"),                  # large files
    (r"^(p(?:read|write)v)64v2$", r"\g<1>2"),
    (r"^x(stat|lstat|fstat|fstatat|mknod|mknodat)$", r"\1"),
    (r"^(l|f)x(stat|statat)$", r"\1\2"),   # __xstat, __lxstat: with the version of struct stat
    (r"^xpg_(sigpause)$", r"\1"),
]


def stems(symbol):
    """The symbol and every name that it decorates."""
    found = [symbol]
    for name in found:
        for pattern, replacement in DECORATIONS:
            shorter = re.sub(pattern, replacement, name)
            if shorter not in found:
                found.append(shorter)
    return found


def read_rows(dump):
    """The rows, as the program made from dump.c prints them."""
    lines = subprocess.run([dump], check=True, capture_output=True, text=True).stdout.splitlines()
    return [Row(*line.split("\t")) for line in lines]


def read_reasons(dump):
    """The closed list of reasons: name -> sentence."""
    lines = subprocess.run([dump, "reasons"], check=True, capture_output=True, text=True).stdout.splitlines()
    return dict(line.split("\t") for line in lines)


def exported_functions(path):
    """The functions that a shared library exports, without versions; not those that it keeps for its own kin."""
    lines = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True)
    symbols = set()
    for line in lines.stdout.splitlines():
        kind, name = line.split()[-2:]
        name, _, version = name.replace("@@", "@").partition("@")
        if kind in "TWi" and version != "GLIBC_PRIVATE":
            symbols.add(name)
    return symbols


def linkable_functions(path):
    """Those that it gives to a linker: in some version that is a default one, or in none."""
    lines = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True)
    names = (line.split()[-1] for line in lines.stdout.splitlines())
    return {name.partition("@")[0] for name in names if "@@" in name or "@" not in name}


def read_groups(path):
    groups = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            heading = re.fullmatch(r"\[(.+)\]", line)
            if line.startswith("#") or not line:
                continue
            if heading:
                groups.append({"name": heading[1], "rule": "", "source": "", "names": set(), "patterns": []})
                field = None
            elif line.startswith(("rule:", "source:")):
                field, _, text = line.partition(":")
                groups[-1][field] = text.strip()
            elif line.startswith("  "):
                groups[-1][field] += " " + line.strip()
            else:
                for word in line.split():
                    if len(word) > 2 and word[0] == word[-1] == "/":
                        groups[-1]["patterns"].append(re.compile(word[1:-1]))
                    else:
                        groups[-1]["names"].add(word)
    return [Group(**g) for g in groups]


def group_of(symbol, groups):
    """The first group that the symbol or a name that it decorates belongs to, or None."""
    forms = stems(symbol)
    for group in groups:
        if any(form in group.names for form in forms) or any(p.fullmatch(symbol) for p in group.patterns):
            return group
    return None

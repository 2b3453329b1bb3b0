#!/usr/bin/env python3
"""Holds the built objects to tests/house/layers.txt: layers.py RULES BUILD TREE.

What a file uses is what its object leaves undefined and an object of another folder defines, as nm(1) says it. So it does not
matter which headers were included, and a declaration hidden in a function does not escape.
Prints one line for each breach and ends with 1; ends with 2 when it could not look.
"""
import ctypes
import fnmatch
import json
import pathlib
import subprocess
import sys


class Rules:
    """The parsed layers.txt: folder -> {used folder: set of allowed symbols, or None for all}, and the `only` lines."""

    def __init__(self, text):
        self.uses = {}
        self.only = []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            left, colon, right = line.partition(":")
            if not colon:
                raise ValueError(f"line {number}: no colon")
            if left.startswith("only "):
                self.only.append((left[5:].strip(), right.split()))
                continue
            allowed = self.uses.setdefault(left.strip(), {})
            for word in right.split():
                folder, bang, symbol = word.partition("!")
                if not bang:
                    allowed[folder] = None
                elif allowed.setdefault(folder, set()) is not None:
                    allowed[folder].add(symbol)
        for folder, allowed in self.uses.items():
            for used in allowed:
                if used not in self.uses:
                    raise ValueError(f"'{folder}' may use '{used}', which has no line of its own")

    def folder(self, path):
        """The longest folder that holds path; None: not under these rules."""
        fits = [folder for folder in self.uses if path.startswith(folder + "/")]
        return max(fits, key=len, default=None)

    def allows(self, user, used, symbol):
        if user == used:
            return True
        allowed = self.uses[user].get(used, set())
        return allowed is None or symbol in allowed


def symbols(object_file):
    """(defined, undefined) global names of an object file."""
    done = subprocess.run(["nm", "--format=posix", "--extern-only", object_file], capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip())
    defined, undefined = set(), set()
    for line in done.stdout.splitlines():
        name, kind = line.split()[:2]
        (undefined if kind in "Uwv" else defined).add(name.split("@")[0])
    return defined, undefined


def objects(build, tree, rules):
    """source path -> object file, for every source of the tree that a folder of the rules holds."""
    found = {}
    units = json.loads((build / "compile_commands.json").read_text())
    for unit in units:
        source = pathlib.Path(unit["directory"], unit["file"]).resolve()
        path = str(source.relative_to(tree)) if source.is_relative_to(tree) else ""
        if rules.folder(path):
            found[path] = pathlib.Path(unit["directory"], unit["output"])
    return found


def breaches(rules, tables):
    """The lines to print, for tables: source path -> (defined, undefined)."""
    # A name that libc exports too is libc's to whoever uses it: that the shim is found first is its purpose, not a use of it.
    libc = ctypes.CDLL("libc.so.6")
    home = {symbol: path for path, (defined, _) in tables.items() for symbol in defined if not hasattr(libc, symbol)}
    for path, (_, undefined) in sorted(tables.items()):
        for symbol in sorted(undefined):
            for pattern, paths in rules.only:
                if fnmatch.fnmatchcase(symbol, pattern) and not any(fnmatch.fnmatchcase(path, p) for p in paths):
                    yield f"{path} uses {symbol}: only {' '.join(paths)} may use {pattern}"
            if symbol in home:
                user, used = rules.folder(path), rules.folder(home[symbol])
                if not rules.allows(user, used, symbol):
                    yield f"{path} uses {symbol} of {home[symbol]}: {user} may not use {used}"


def main(rules_file, build, tree):
    try:
        rules = Rules(pathlib.Path(rules_file).read_text())
        tables = {source: symbols(path) for source, path in objects(build, tree, rules).items()}
    except (OSError, ValueError, KeyError) as error:
        print(f"layers.py: {error}", file=sys.stderr)
        return 2
    idle = [folder for folder in rules.uses if not any(rules.folder(path) == folder for path in tables)]
    if idle:
        print(f"layers.py: no objects of {' '.join(idle)}: nothing was checked there", file=sys.stderr)
        return 2
    found = list(breaches(rules, tables))
    print("\n".join(found) if found else f"{len(tables)} objects keep to the layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()))

#!/usr/bin/env python3
"""What every file of the code must keep to: tree.py ROOT.

At most 500 lines (a longer one holds a second idea), an opening paragraph that says what it is for, no open ends.
"""
import pathlib
import re
import sys

FOLDERS = ["lib", "shim", "tools", "include"]
LINES = 500
OPEN_ENDS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")


def faults(path):
    text = path.read_text()
    lines = text.splitlines()
    if len(lines) > LINES:
        yield f"{len(lines)} lines, more than {LINES}"
    if path.suffix in (".c", ".h", ".def", ".S") and not text.startswith("/*"):
        yield "does not open with a paragraph that says what it is for"
    for number, line in enumerate(lines, 1):
        if OPEN_ENDS.search(line):
            yield f"line {number}: an open end: {line.strip()}"


def main(root):
    files = [path for folder in FOLDERS for path in sorted(pathlib.Path(root, folder).rglob("*")) if path.is_file()]
    found = [f"{path}: {fault}" for path in files for fault in faults(path)]
    print("\n".join(found) or f"{len(files)} files")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

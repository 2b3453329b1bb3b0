#!/usr/bin/env python3
"""GEV_FOLLOW: what a patched program's children inherit: follow.py LIBPATCH OTHER.

Run on env(1), which prints the environment that it would hand on.
"""
import subprocess
import sys

patch, other = sys.argv[1:]
PATCH_AND_OTHER = f"{patch}:{other}"

CASES = [
    # description, GEV_FOLLOW, LD_PRELOAD, what is handed on, what is said
    ("nothing said: inherited", None, patch, patch, ""),
    ("1: inherited", "1", PATCH_AND_OTHER, PATCH_AND_OTHER, ""),
    ("0: not inherited", "0", patch, "", ""),
    ("0: others before ours stay", "0", f"{other}:{patch}", other, ""),
    ("0: others behind ours stay", "0", f"{patch} {other}", other, ""),
    ("0: ours named twice", "0", f"{patch}:{other}:{patch}", other, ""),
    ("a wrong value is said and changes nothing", "maybe", patch, patch,
     "libpatch: GEV_FOLLOW=maybe: wanted is 0|1; taking 1\n"),
]

failed = False
for description, follow, preload, handed_on, said in CASES:
    environment = {"LD_PRELOAD": preload} | ({"GEV_FOLLOW": follow} if follow is not None else {})
    done = subprocess.run(["/usr/bin/env"], env=environment, capture_output=True, text=True, timeout=100)
    seen = [line.partition("=")[2] for line in done.stdout.splitlines() if line.startswith("LD_PRELOAD=")]
    if done.returncode != 0 or seen != [handed_on] or done.stderr != said:
        print(f"{description}: status {done.returncode}, handed on {seen}, said {done.stderr!r}")
        failed = True
sys.exit(failed)

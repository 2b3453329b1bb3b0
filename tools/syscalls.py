#!/usr/bin/env python3
"""The names of this architecture's system calls: syscalls.py CC... prints CALL(number, name) rows.

From the kernel's own header, <asm/unistd.h>, as the compiler preprocesses it.
"""
import re
import subprocess
import sys

done = subprocess.run([*sys.argv[1:], "-E", "-dM", "-x", "c", "-"], input="#include <asm/unistd.h>\n", text=True,
                      stdout=subprocess.PIPE, check=True)
calls = sorted((int(number), name) for name, number in re.findall(r"#define __NR_(\w+) (\d+)$", done.stdout, re.M))
if not calls:
    sys.exit("no __NR_ names in <asm/unistd.h>")
print("/* Made by tools/syscalls.py from <asm/unistd.h>. */")
for number, name in calls:
    print(f"CALL({number}, {name})")

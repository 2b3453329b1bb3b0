#!/usr/bin/env python3
"""Each public header compiles alone: headers.py CC CXX FOLDER (each compiler one argument, with spaces where it has several words).

As C11 and as C++17, without extensions, with every warning an error, and twice in one file, which shows the include guards.
gev.h must include them all, but for the shim's own door, embed.h.
"""
import pathlib
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def compiles(compiler, language, standard, folder, header):
    """What the compiler says against it; empty: nothing."""
    code = f"#include <gev/{header}>\n#include <gev/{header}>\n"
    if language == "c":
        code += "int main(void) { return 0; }\n"
    done = subprocess.run([*compiler.split(), f"-std={standard}", *WARNINGS, "-fsyntax-only", "-I", folder, "-x", language, "-"],
                          input=code, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout if done.returncode else ""


def main(cc, cxx, folder):
    headers = sorted(path.name for path in pathlib.Path(folder, "gev").glob("*.h"))
    bad = not headers
    for header in headers:
        for compiler, language, standard in ((cc, "c", "c11"), (cxx, "c++", "c++17")):
            complaint = compiles(compiler, language, standard, folder, header)
            print(f"{'NOT OK' if complaint else 'ok'}: gev/{header} as {standard}\n{complaint}", end="")
            bad |= bool(complaint)
    reached = subprocess.run([*cc.split(), "-M", "-I", folder, pathlib.Path(folder, "gev", "gev.h")], check=True,
                             stdout=subprocess.PIPE, text=True).stdout.split()
    for header in headers:
        if header != "embed.h" and not any(path.endswith(f"/gev/{header}") for path in reached):
            print(f"NOT OK: gev.h does not include gev/{header}")
            bad = True
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

#!/usr/bin/env python3
"""The help texts: embed.py c|man VERSION TEXT... prints them as a C table, or as the manual page gev(1).

One source, tools/help/NAME.txt, for `gev help NAME` and the page. A text opens with its usage lines; a blank line ends them.
"""
import pathlib
import sys


def c_table(texts):
    yield "/* help.c: the texts of `gev help`. Made from tools/help/ by tools/embed.py. */"
    yield '#include <string.h>\n\n#include "tools/command.h"\n'
    yield "static const struct text {\n\tconst char *name;\n\tconst char *text;\n} texts[] = {"
    for name, text in texts:
        lines = "\n".join('\t "' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"' for line in text.splitlines())
        yield f'\t{{"{name}",\n{lines}}},'
    yield "};\n"
    yield "const char *help_text(const char *name)\n{"
    yield "\tfor (size_t i = 0; i < sizeof texts / sizeof *texts; i++)"
    yield "\t\tif (strcmp(texts[i].name, name) == 0)\n\t\t\treturn texts[i].text;"
    yield "\treturn NULL;\n}"


def roff(text):
    """A line as troff takes it literally."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def man_page(version, texts):
    yield f'.TH GEV 1 "" "libgev {version}" "libgev"'
    yield ".SH NAME\ngev \\- run unmodified programs with their threads as greenlets, and look into them"
    yield ".SH SYNOPSIS\n.B gev\n.I COMMAND\n[arguments]"
    yield ".SH COMMANDS"
    for name, text in texts:
        yield f".SS gev {name}\n.nf"
        yield from map(roff, text.splitlines())
        yield ".fi"
    yield '.SH SEE ALSO\n.BR ld.so (8)'


def main(form, version, *paths):
    texts = [(pathlib.Path(path).stem, pathlib.Path(path).read_text()) for path in paths]
    print("\n".join(c_table(texts) if form == "c" else man_page(version, texts)))


if __name__ == "__main__":
    main(*sys.argv[1:])

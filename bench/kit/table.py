"""table: aligned columns: text to the left, numbers to the right. And one line that is overwritten, on a terminal."""
import shutil
import sys


def digits_for(values):
    """Decimals for a column: enough for its smallest number, none where all are whole."""
    numbers = [abs(value) for value in values if value is not None]
    if all(value == int(value) for value in numbers):
        return 0
    smallest, largest = min(value for value in numbers if value), max(numbers)
    return 0 if smallest >= 100 else 1 if smallest >= 10 or largest >= 1000 else 2


def show(value, digits):
    if value is None or isinstance(value, str):
        return value or "-"
    return f"{value:,.{digits}f}".replace(",", " ")


def lines(head, rows):
    """The head and each row as one string; a row's cells are strings, numbers or None."""
    numeric = [all(not isinstance(row[i], str) for row in rows) for i in range(len(head))]
    digits = [digits_for(row[i] for row in rows) if n else 0 for i, n in enumerate(numeric)]
    cells = [list(head)] + [[show(cell, d) for cell, d in zip(row, digits)] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]

    def join(row):
        return "  ".join(c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric)).rstrip()

    return [join(cells[0]), "  ".join("-" * w for w in widths)] + [join(row) for row in cells[1:]]


def write(head, rows, indent="  "):
    for line in lines(head, rows):
        print(indent + line)
    sys.stdout.flush()


def times(value):
    return "-" if value is None else f"{value:.2f}x"


def progress(text=""):
    """What is going on; wiped by the next one. Silent where standard error is not a terminal."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r\x1b[K" + text[:width])
        sys.stderr.flush()

"""The figures of both ways as a table."""
import statistics

WAYS = ("native", "green")


def significant(value, unit):
    """Four figures or so."""
    digits = 2 if value < 100 else 1 if value < 1000 else 0
    text = f"{value:,.{digits}f}".replace(",", " ")
    return f"{text} {unit}".rstrip()


def duration(seconds):
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1:
            break
    return significant(seconds * scale, unit)


def size(n):
    return significant(n / 2**20, "MiB")


def count(n):
    return f"{n:,.0f}".replace(",", " ")


# Name in the JSON, words, how it is written.
ROWS = [
    ("os_threads", "OS threads", count),
    ("memory", "memory", size),
    ("rate", "requests/s", lambda rate: count(rate) if rate >= 100 else significant(rate, "")),
    ("p50", "p50", duration),
    ("p99", "p99", duration),
    ("cpu_a_request", "CPU a request", duration),
    ("cpu", "CPU", duration),
    ("seconds", "time", duration),
    ("errors", "errors", count),
]


def medians(rounds):
    """Of each figure that every round has."""
    found = {}
    for key, _, _ in ROWS:
        values = [one[key] for one in rounds if one.get(key) is not None]
        if len(values) == len(rounds) and values:
            found[key] = statistics.median(values)
    return found


def change(before, after):
    if not before or not after:
        return ""
    factor = after / before
    if factor >= 2:
        return f"{factor:.1f} x"
    if factor <= 0.5:
        return f"1/{1 / factor:.1f}" if factor > 0.02 else f"1/{1 / factor:.0f}"
    return f"{(factor - 1) * 100:+.0f} %"


def lines(summary):
    yield f"{'':16}{'native':>14}{'green':>14}"
    for key, words, write in ROWS:
        native, green = (summary[way].get(key) for way in WAYS)
        if native is None and green is None:
            continue
        # What is the same by the same load says nothing twice.
        if key in ("cpu", "seconds") and "rate" in summary["native"]:
            continue
        cells = ["-" if value is None else write(value) for value in (native, green)]
        yield f"{words:16}{cells[0]:>14}{cells[1]:>14}  {change(native, green)}".rstrip()

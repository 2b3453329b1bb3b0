"""rounds: A B A B: each variant once a round, so that a drift of the machine meets all of them; and medians.

Every other round runs backwards, so that being the first of a round is nobody's privilege.
"""
import statistics


def interleave(variants, rounds, measure, note=None, enough=None):
    """{name: [figures of each round]}. variants: {name: anything}; measure(name, anything) gives a dictionary. After a
    round enough() may say that there are to be no more."""
    collected = {name: [] for name in variants}
    for number in range(rounds):
        if number and enough and enough():
            break
        for name in list(variants) if number % 2 == 0 else reversed(list(variants)):
            if note:
                note(f"round {number + 1} of {rounds}: {name}")
            collected[name].append(measure(name, variants[name]))
    return collected


def pick(figures, path):
    """figures["open"]["threads"] for the path "open.threads"; None where there is none."""
    for key in path.split("."):
        if not isinstance(figures, dict) or key not in figures:
            return None
        figures = figures[key]
    return figures


def values(runs, path):
    return [value for value in (pick(run, path) for run in runs) if value is not None]


def median(runs, path):
    found = values(runs, path)
    return statistics.median(found) if found else None


def least(runs, path):
    return min(values(runs, path), default=None)


def total(runs, path):
    return sum(values(runs, path))


def ratio(runs, other, path):
    """The median over rounds of run/other in the same round: the machine's mood of that round cancels out."""
    pairs = [(pick(a, path), pick(b, path)) for a, b in zip(runs, other)]
    found = [a / b for a, b in pairs if a is not None and b]
    return statistics.median(found) if found else None

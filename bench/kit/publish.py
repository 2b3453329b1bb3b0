"""publish: a run's tables and charts into the documentation: docs/figures/ and the marked part of docs/benchmarks.md."""
import os

from kit import chart, table
from kit.tree import ROOT

BEGIN, END = "<!-- figures: begin, written by ./dev bench --publish -->", "<!-- figures: end -->"


def markdown(title, head, rows):
    numeric = [all(not isinstance(row[i], str) for row in rows) for i in range(len(head))]
    digits = [table.digits_for([row[i] for row in rows]) if n else 0 for i, n in enumerate(numeric)]
    lines = [f"**{title}**", "", "| " + " | ".join(head) + " |",
             "|" + "|".join("---:" if n else "---" for n in numeric) + "|"]
    lines += ["| " + " | ".join(table.show(cell, d) for cell, d in zip(row, digits)) + " |" for row in rows]
    return "\n".join(lines)


def write(context, machine):
    """Replaces what the last published run wrote."""
    folder = os.path.join(ROOT, "docs", "figures")
    os.makedirs(folder, exist_ok=True)
    parts = [f"Measured on {machine}; {context.rounds} interleaved rounds. Every line is in `figures/figures.jsonl`."]
    if chart.available():
        for one in context.charts:
            name = os.path.basename(chart.draw(one, folder))
            parts.append(f"![{one['title']}](figures/{name})")
    else:
        context.say("no charts: python3-matplotlib is not installed")
    parts += [markdown(*one) for one in context.tables]
    page = os.path.join(ROOT, "docs", "benchmarks.md")
    with open(page) as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(page, "w") as file:
        file.write(before + BEGIN + "\n\n" + "\n\n".join(parts) + "\n\n" + END + after)
    return folder

"""context: what a scenario is given: the build, how thorough to be, where figures go.

Every measurement is one line of JSON; every table that is printed can be made again from these lines. Tables and charts are
kept, so that run.py can publish them.
"""
import json
import sys
import time

from kit import load, rounds, table
from kit.server import ServerFailed


class Context:
    def __init__(self, build, number_of_rounds, quick, output=None):
        self.build, self.rounds, self.quick, self.output = build, number_of_rounds, quick, output
        self.wrong = []
        self.started = time.monotonic()
        self.minutes = None  # after so many no further round is begun
        self.tables = []  # (title, head, rows)
        self.charts = []  # kit/chart.py
        self.heading = ""

    def emit(self, **line):
        if self.output:
            self.output.write(json.dumps(line) + "\n")
            self.output.flush()

    def title(self, text):
        table.progress()
        self.heading = text
        print(f"\n{text}\n")
        sys.stdout.flush()

    def write(self, head, rows):
        """A table under the last title."""
        rows = list(rows)
        table.write(head, rows)
        self.tables.append((self.heading, head, rows))

    def chart(self, chart):
        self.charts.append(chart)

    def say(self, text):
        """A word about something left out."""
        table.progress()
        print("  " + text)

    def late(self):
        return self.minutes is not None and time.monotonic() - self.started > 60 * self.minutes

    def fewer(self, most):
        """Rounds for what needs no more: counts, memory, what is looked at besides."""
        return min(self.rounds, most)

    def scale(self, full, quick):
        return quick if self.quick else full

    def load_rounds(self, scenario, kinds, pinning, around=None, most=None, **options):
        """Interleaved rounds of the load client against fresh servers; {name: [figures]}. A server that fails gives no
        figures and is reported: the others still are compared."""

        def measure(name, start):
            server = None
            try:
                server = start(self.build, pinning.server)
                with server:
                    counter = around(server.pid) if around else None
                    figures = load.run(self.build, server, cores=pinning.client, around=counter, **options)
                    if counter and counter.count is not None:
                        figures["calls_per_request"] = counter.count / max(figures["requests"], 1)
                    if not load.right(figures):
                        self.failed(f"{scenario}: {name}: {figures['wrong']} wrong answers, {figures['errors']} errors"
                                    + f"\n{server.complaint()}")
            except (ServerFailed, load.Stuck) as failure:
                self.failed(f"{scenario}: {name}: {failure}")
                figures = {}
            self.emit(scenario=scenario, pinning=pinning.name, variant=name, **figures)
            return figures

        note = "{}, {}, {} connections: ".format(scenario, pinning.name, options["connections"])
        collected = rounds.interleave(kinds, self.fewer(most or self.rounds), measure,
                                      lambda text: table.progress(note + text), self.late)
        table.progress()
        return collected

    def failed(self, text):
        table.progress()
        print("FAILED: " + text.rstrip())
        self.wrong.append(text)

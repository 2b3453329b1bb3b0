#!/usr/bin/env python3
"""Shows that each check of the ledger can fail: a table with one fault at a time, and the complaint it must bring."""

import os
import sys
import tempfile
import unittest

import check
import ledger
import page
import parks
from ledger import Row

GOOD = [
    Row("read", "green", "io", "io_pipe"),
    Row("__read", "alias", "-", "read"),
    Row("preadv2", "original", "-", "-"),
    Row("preadv2", "later", "io", "stalls"),
    Row("pread", "pass", "io", "LOCAL_STORAGE"),
]
REASONS = {"LOCAL_STORAGE": "It waits for the file system."}
BLOCKING = """# a comment
[one]
rule:   reads
        and its kin
source: a book
read pread
[two]
rule:   threads
source: another
/_?thrd_.*/
"""


def groups():
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.write(BLOCKING)
    try:
        return ledger.read_groups(file.name)
    finally:
        os.unlink(file.name)


class Rows(unittest.TestCase):
    def test_good(self):
        self.assertEqual(check.check_rows(GOOD), [])

    def test_two_states(self):
        self.assertIn("read: 2 rows", check.check_rows(GOOD + [Row("read", "later", "io", "x")]))

    def test_aware(self):
        rows = [Row("close", "aware", "descriptor", "fd_close"), Row("__close", "alias", "-", "close")]
        self.assertEqual(check.check_rows(rows), [])
        self.assertEqual(len(check.check_exports(rows, {"close"}, {"close", "__close"})), 1)
        self.assertEqual(page.render(rows, {}).count("| wrapped, never waits | fixture `fd_close` |"), 2)

    def test_untraced(self):
        self.assertEqual(len(check.check_rows([Row("read", "green", "nobody", "io_pipe")])), 1)

    def test_alias_of_nothing(self):
        self.assertEqual(len(check.check_rows([Row("a", "alias", "-", "b")])), 1)

    def test_original_unsaid(self):
        self.assertEqual(len(check.check_rows([Row("a", "original", "-", "-")])), 1)

    def test_later_unsaid(self):
        self.assertEqual(len(check.check_rows([Row("a", "later", "io", "")])), 1)


class Covers(unittest.TestCase):
    def test_good(self):
        self.assertEqual(check.check_covers(GOOD, groups(), {"read", "__read", "preadv2", "strlen"}), [])

    def test_gap(self):
        wrong = check.check_covers(GOOD, groups(), {"__pread64_chk", "_thrd_new", "thrd"})
        self.assertEqual([w.split(":")[0] for w in wrong], ["__pread64_chk", "_thrd_new"])

    def test_old(self):
        rows = [Row("gone", "pass", "rpc", "OLD_PROGRAMS"), Row("here", "pass", "rpc", "OLD_PROGRAMS"), Row("read", "pass", "io", "NEVER_WAITS")]
        self.assertEqual([w.split(":")[0] for w in check.check_old(rows, {"here", "read"})], ["here"])

    def test_group_text(self):
        self.assertEqual(groups()[0].rule, "reads and its kin")

    def test_decorations(self):
        for symbol, plain in [
            ("__read_chk", "read"),
            ("__open64_2", "open"),
            ("getpwnam_r", "getpwnam"),
            ("_IO_fclose", "fclose"),
            ("__isoc23_fscanf", "fscanf"),
            ("fgets_unlocked", "fgets"),
            ("preadv64v2", "preadv2"),
            ("__lxstat64", "lstat"),
            ("__xpg_sigpause", "sigpause"),
        ]:
            self.assertIn(plain, ledger.stems(symbol), symbol)


class Exports(unittest.TestCase):
    def test_good(self):
        self.assertEqual(check.check_exports(GOOD, {"read", "__read"}, {"read", "__read"}), [])

    def test_missing(self):
        self.assertEqual(len(check.check_exports(GOOD, {"read"}, {"read", "__read"})), 1)

    def test_too_much(self):
        self.assertEqual(len(check.check_exports(GOOD, {"read", "__read", "write"}, {"read", "__read"})), 1)

    def test_not_in_libc(self):
        self.assertEqual(len(check.check_exports(GOOD, {"read", "__read"}, {"read"})), 1)


class Fixtures(unittest.TestCase):
    SOURCES = {"io_pipe": "n = read(fd, buf, 1);", "io_file": "n = pread(fd, buf, 1, 0);"}

    def test_good(self):
        self.assertEqual(check.check_fixtures(GOOD, self.SOURCES, {"io_pipe"}), [])

    def test_missing(self):
        self.assertEqual(len(check.check_fixtures(GOOD, {}, {"io_pipe"})), 1)

    def test_not_run(self):
        self.assertEqual(len(check.check_fixtures(GOOD, self.SOURCES, set())), 1)

    def test_does_not_call(self):
        rows = [Row("read", "green", "io", "io_file")]
        self.assertEqual(len(check.check_fixtures(rows, self.SOURCES, {"io_file"})), 1)


class Parks(unittest.TestCase):
    ROWS = [
        Row("read", "green", "io", "io_pipe"),
        Row("__read", "alias", "-", "read"),
        Row("close", "aware", "descriptor", "io_pipe"),
        Row("getc", "within", "stdio", "io_file"),
        Row("sched_yield", "green", "thread", "io_file"),
    ]
    GOOD = {
        "io_pipe": [[(0, 0, 0, 0), (3, 2, 1, 1), (1, 0, 0, 0), (9, 9, 9, 9), (0, 0, 0, 0)]],
        "io_file": [[(9, 9, 9, 9), (0, 0, 0, 0), (0, 0, 0, 0), (1, 1, 1, 1), (5, 0, 0, 1)]],
    }

    def wrong(self, counted):
        return parks.judge(self.ROWS, parks.gather(self.ROWS, counted), set(counted))

    def with_one(self, fixture, place, count):
        counts = list(self.GOOD[fixture][0])
        counts[place] = count
        return self.wrong({**self.GOOD, fixture: [counts]})

    def test_good(self):
        self.assertEqual(self.wrong(self.GOOD), {})

    def test_only_its_own_fixture_counts(self):
        self.assertEqual(list(self.wrong({"io_pipe": self.GOOD["io_file"], "io_file": self.GOOD["io_pipe"]})),
                         ["close", "sched_yield"])

    def test_not_called(self):
        self.assertIn("not called", self.with_one("io_pipe", 2, (0, 0, 0, 0))["close"])
        self.assertIn("not called", self.with_one("io_pipe", 1, (0, 0, 0, 0))["read"])

    def test_never_parked(self):
        self.assertIn("nobody parks", self.with_one("io_file", 3, (7, 0, 0, 7))["getc"])

    def test_alone(self):
        self.assertIn("no other green thread", self.with_one("io_pipe", 1, (3, 2, 0, 0))["read"])

    def test_gives_no_way(self):
        self.assertIn("nobody gets a turn", self.with_one("io_file", 4, (5, 0, 0, 0))["sched_yield"])

    def test_runs_add_up(self):
        silent = [(0, 0, 0, 0)] * len(self.ROWS)
        self.assertEqual(self.wrong({name: [silent, *runs] for name, runs in self.GOOD.items()}), {})

    def test_nothing_counted(self):
        self.assertEqual(len(self.wrong({"io_pipe": [[]], "io_file": [[]]})), 4)

    def test_unseen_but_seen(self):
        rows = [Row("tcdrain", "green", "io", "tty")]
        self.assertEqual(parks.judge(rows, parks.gather(rows, {"tty": [[(1, 0, 0, 0)]]}), {"tty"}), {})
        self.assertIn("unlist", parks.judge(rows, parks.gather(rows, {"tty": [[(1, 1, 1, 1)]]}), {"tty"})["tcdrain"])


class Page(unittest.TestCase):
    def test_holds_each_row_once(self):
        text = page.render(GOOD, REASONS)
        for symbol in ("read", "__read", "preadv2", "pread"):
            self.assertEqual(text.count(f"| `{symbol}` |"), 1, symbol)

    def test_old_page(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "coverage.md")
            self.assertIn("does not exist", page.compare(path, "new\n"))
            with open(path, "w", encoding="utf-8") as file:
                file.write("old\n")
            self.assertIn("-old", page.compare(path, "new\n"))
            self.assertEqual(page.compare(path, "old\n"), "")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))

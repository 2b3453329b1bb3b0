#!/usr/bin/env python3
"""Shows that each check of the ledger can fail: a table with one fault at a time, and the complaint it must bring."""

import os
import sys
import tempfile
import unittest

import check
import ledger
import page
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

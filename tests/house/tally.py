#!/usr/bin/env python3
"""Counts one run of `meson test`: tally.py LOG.json STATUS.

Prints "PASSED FAILED" for ./dev, and on standard error the end of what each failed test said.
A run that ended badly without any failed test to show for it counts as one failure. So does a test that passed while a
sanitizer or memcheck complained: leaks are found after Criterion has taken the test's result.
"""
import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
NEITHER = {"SKIP"}
COMPLAINTS = ("SUMMARY: AddressSanitizer", "SUMMARY: LeakSanitizer", "SUMMARY: UndefinedBehaviorSanitizer",
              "SUMMARY: ThreadSanitizer",
              # memcheck's (valgrind manual, 4.2)
              "== Invalid read of", "== Invalid write of", "depends on uninitialised", "Use of uninitialised",
              "unaddressable byte(s)", "uninitialised byte(s)", "== Invalid free()", "Mismatched free()")
TAIL = 30


def result(test):
    if test["result"] in PASSED and any(words in test.get("stdout", "") + test.get("stderr", "") for words in COMPLAINTS):
        return "PASSED, BUT A SANITIZER COMPLAINED"
    return test["result"]


def tail(test):
    text = test.get("stdout", "") + test.get("stderr", "")
    return "\n".join("    " + line for line in text.splitlines()[-TAIL:])


def main(path, status):
    passed = failed = skipped = 0
    try:
        with open(path, encoding="utf-8") as log:
            tests = [json.loads(line) for line in log]
    except FileNotFoundError:
        tests = []
    for test in tests:
        if result(test) in PASSED:
            passed += 1
        elif result(test) in NEITHER:
            skipped += 1
            print(f"{test['name']}: skipped", file=sys.stderr)
        else:
            failed += 1
            print(f"{test['name']}: {result(test)}\n{tail(test)}", file=sys.stderr)
    if not tests and not status:
        failed = 1
        print(f"no test ran: {path} is empty or absent", file=sys.stderr)
    if status and not failed:
        failed = 1
        print(f"meson test ended with {status}, and {path} names no failed test", file=sys.stderr)
    print(passed, failed)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

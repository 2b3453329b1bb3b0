#!/usr/bin/env python3
"""Shows what tally.py counts, on made-up logs of meson."""
import json
import pathlib
import subprocess
import sys
import tempfile

TALLY = pathlib.Path(__file__).resolve().parent / "tally.py"

# description, the results in the log (None: no log), meson's status, what is counted, a text on standard error
CASES = [
    ("all pass", ["OK", "OK"], 0, "2 0", ""),
    ("a failure is named", ["OK", "FAIL"], 1, "1 1", "test 1: FAIL"),
    ("a failure shows its output", ["FAIL"], 1, "0 1", "    said 0"),
    ("out of time", ["TIMEOUT"], 1, "0 1", "test 0: TIMEOUT"),
    ("known failures", ["EXPECTEDFAIL", "UNEXPECTEDPASS"], 1, "1 1", "test 1: UNEXPECTEDPASS"),
    ("skipped is neither", ["OK", "SKIP"], 0, "1 0", "test 1: skipped"),
    ("no log", None, 1, "0 1", "names no failed test"),
    ("a bad end without a failed test", ["OK"], 2, "1 1", "ended with 2"),
    ("no tests at all", [], 0, "0 1", "no test ran"),
    ("memcheck's complaint", ["OK ==7== Invalid read of size 8"], 0, "0 1", "A SANITIZER COMPLAINED"),
    ("a sanitizer's complaint", ["OK SUMMARY: AddressSanitizer: 7 byte(s) leaked"], 0, "0 1", "A SANITIZER COMPLAINED"),
]


def main():
    bad = 0
    for description, results, status, counted, text in CASES:
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder, "log.json")
            if results is not None:
                log.write_text("".join(json.dumps({"name": f"test {i}", "result": result.split()[0],
                                                   "stdout": f"said {i}\n{result.partition(' ')[2]}\n"}) + "\n"
                                       for i, result in enumerate(results)))
            done = subprocess.run([sys.executable, TALLY, log, str(status)], capture_output=True, text=True)
        fits = done.stdout == counted + "\n" and text in done.stderr and done.returncode == 0
        bad += not fits
        print(f"{'ok' if fits else 'NOT OK'}: {description}")
        if not fits:
            print(f"  wanted {counted} and '{text}', got {done.stdout}{done.stderr}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

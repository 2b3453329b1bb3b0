"""What a load generator says in the end: requests, requests a second, latencies, errors. One function a generator; each knows its own words."""
import re
import typing

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "secs": 1.0, "msec": 1e-3}


class Result(typing.NamedTuple):
    """Seconds throughout; None: it did not say."""
    requests: float = None
    rate: float = None
    p50: float = None
    p99: float = None
    errors: int = None


def number(text, pattern, scale=1.0):
    found = re.search(pattern, text, re.M)
    return float(found[1].replace(",", "")) * scale if found else None


def time(text, pattern):
    """Of a pattern with two groups, a number and a unit."""
    found = re.search(pattern, text, re.M)
    return float(found[1]) * UNITS[found[2]] if found else None


def wrk(text):
    rate = number(text, r"^Requests/sec:\s+([\d.]+)")
    if rate is None:
        return None
    socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    errors = sum(map(int, socket_errors.groups())) if socket_errors else 0
    return Result(number(text, r"^\s+(\d+) requests in"), rate, time(text, r"^\s+50(?:\.000)?%\s+([\d.]+)(us|ms|s|m)\b"),
                  time(text, r"^\s+99(?:\.000)?%\s+([\d.]+)(us|ms|s|m)\b"),
                  errors + int(number(text, r"Non-2xx or 3xx responses: (\d+)") or 0))


def ab(text):
    rate = number(text, r"^Requests per second:\s+([\d.]+)")
    if rate is None:
        return None
    # ApacheBench gives whole milliseconds.
    return Result(number(text, r"^Complete requests:\s+(\d+)"), rate, number(text, r"^\s+50%\s+(\d+)", 1e-3),
                  number(text, r"^\s+99%\s+(\d+)", 1e-3),
                  int((number(text, r"^Failed requests:\s+(\d+)") or 0) + (number(text, r"^Non-2xx responses:\s+(\d+)") or 0)))


def hey(text):
    rate = number(text, r"^\s+Requests/sec:\s+([\d.]+)")
    if rate is None:
        return None
    answers = [(int(code), int(n)) for code, n in re.findall(r"\[(\d+)\]\s+(\d+) responses", text)]
    return Result(sum(n for _, n in answers) or None, rate, time(text, r"^\s+50%+ in ([\d.]+) (secs)"),
                  time(text, r"^\s+99%+ in ([\d.]+) (secs)"), sum(n for code, n in answers if code >= 400))


def h2load(text):
    rate = number(text, r"^finished in .*?, ([\d.]+) req/s")
    if rate is None:
        return None
    done = re.search(r"^requests: (\d+) total.*?(\d+) failed", text, re.M)
    return Result(float(done[1]) if done else None, rate, errors=int(done[2]) if done else None)


def redis_benchmark(text):
    rate = number(text, r"throughput summary: ([\d.]+) requests per second")
    if rate is None:
        return None
    row = re.search(r"^\s*avg\s+min\s+p50\s+p95\s+p99\s+max\s*\n\s*(.*)$", text, re.M)
    times = [float(word) * 1e-3 for word in row[1].split()] if row else [None] * 6
    return Result(number(text, r"(\d+) requests completed"), rate, times[2], times[4])


def sysbench(text):
    rate = number(text, r"transactions:\s+\d+\s+\(([\d.]+) per sec")
    if rate is None:
        return None
    return Result(number(text, r"transactions:\s+(\d+)"), rate, errors=int(number(text, r"ignored errors:\s+(\d+)") or 0))


def read(text):
    """None: nobody knows these words."""
    for reader in (wrk, ab, hey, h2load, redis_benchmark, sysbench):
        result = reader(text)
        if result:
            return result
    return None

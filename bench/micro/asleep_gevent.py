"""asleep: gevent's greenlets asleep. Usage and output as bench/micro/asleep.h says."""
import json
import sys
import time

import gevent

N, SECONDS = int(sys.argv[1]), float(sys.argv[2])


def weigh():
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status if ":" in line)
    return int(fields["VmRSS"].split()[0]), int(fields["VmPTE"].split()[0])


before = sum(weigh())
cpu = time.process_time()
wake_at = time.monotonic() + SECONDS
weight = None
sleeping = 0


def deeper():
    global sleeping, weight
    sleeping += 1
    if sleeping == N:
        weight = weigh()
    gevent.sleep(max(wake_at - time.monotonic(), 0))


def sleeper():
    deeper()


everyone = [gevent.spawn(sleeper) for _ in range(N)]
gevent.joinall(everyone, raise_error=True)
print(json.dumps({"n": N, "before_kb": before, "rss_kb": weight[0], "pte_kb": weight[1],
                  "cpu_s": round(time.process_time() - cpu, 6), "late_s": round(time.monotonic() - wake_at, 3)}))

"""micro: gevent's own costs, in the rows of the other programs. Usage: gevent_core.py [SCALE]"""
import json
import sys
import time

import gevent
from gevent.event import Event  # noqa: F401  loads what the first spawn would load
from gevent.lock import Semaphore
from gevent.queue import Queue

SCALE = float(sys.argv[1]) if len(sys.argv) > 1 else 1


def report(what, begin, n):
    print(json.dumps({"what": what, "ns": round((time.monotonic() - begin) * 1e9 / n, 2)}), flush=True)


def yields(what, greenlets, total):
    each = total // greenlets + 1

    def often():
        for _ in range(each):
            gevent.sleep(0)

    all_of_them = [gevent.spawn(often) for _ in range(greenlets)]
    begin = time.monotonic()
    gevent.joinall(all_of_them, raise_error=True)
    report(what, begin, each * greenlets)


def spawn_join(n):
    begin = time.monotonic()
    for number in range(n):
        assert gevent.spawn(lambda x=number: x).get() == number
    report("spawn, run, join", begin, n)


def hand_off(n):
    ping, pong = Semaphore(0), Semaphore(0)

    def answer():
        for _ in range(n):
            ping.acquire()
            pong.release()

    other = gevent.spawn(answer)
    begin = time.monotonic()
    for _ in range(n):
        ping.release()
        pong.acquire()
    report("hand-off by semaphore or condition", begin, 2 * n)
    other.join()


def queue(n):
    there, back = Queue(), Queue()

    def answer():
        for _ in range(n):
            back.put(there.get() + 1)

    other = gevent.spawn(answer)
    begin = time.monotonic()
    for number in range(n):
        there.put(number)
        assert back.get() == number + 1
    report("hand-off by channel or queue", begin, 2 * n)
    other.join()


def times(n):
    return int(n * SCALE) + 1


yields("yield, 2 runnable", 2, times(100000))
yields("yield, 1000 runnable", 1000, times(100000))
spawn_join(times(20000))
hand_off(times(40000))
queue(times(40000))

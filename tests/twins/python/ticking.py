"""A thread that ticks beside one that computes: the interpreter's lock changes hands although nobody calls."""
import threading
import time

from twin import report_threads

stop = False


def compute():
    n = 0
    while not stop:
        n += 1


worker = threading.Thread(target=compute)
worker.start()
report_threads()
ticks = 0
until = time.monotonic() + 3
while time.monotonic() < until:
    time.sleep(0.1)
    ticks += 1
stop = True
worker.join()
# Some 29 natively where nothing else runs, 1 if the one that computes has to be waited for.
print('fair:', ticks >= 10)

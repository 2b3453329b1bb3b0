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
# Where the one that computes has to be waited for, each tick takes seconds, and the runner's limit is passed.
for tick in range(30):
    time.sleep(0.05)
stop = True
worker.join()
print('ticked beside it')

"""threading: locks, conditions, events, barriers, timers, semaphores, thread-local data, daemons, exceptions."""
import threading
import time

from twin import report_threads

lock, reentrant, condition = threading.Lock(), threading.RLock(), threading.Condition()
event, barrier, semaphore = threading.Event(), threading.Barrier(5), threading.Semaphore(3)
local = threading.local()
results, inside, most = [], 0, 0


def worker(i):
    global inside, most
    local.value = i
    event.wait()
    with semaphore:
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.005)
        with lock:
            inside -= 1
    serial = barrier.wait() == 0
    with reentrant, reentrant:
        results.append((local.value, serial))
    with condition:
        condition.notify_all()


threads = [threading.Thread(target=worker, args=(i,)) for i in range(5)]
for t in threads:
    t.start()
report_threads()
event.set()
with condition:
    condition.wait_for(lambda: len(results) == 5)
for t in threads:
    t.join()
print(sorted(value for value, _ in results), sum(serial for _, serial in results), most <= 3)

print('timed out:', threading.Event().wait(0.05), lock.acquire(timeout=0.05), lock.acquire(timeout=0.05))
lock.release()
timer_ran = threading.Event()
threading.Timer(0.02, timer_ran.set).start()
print('timer:', timer_ran.wait(10))

began, begun = time.monotonic(), []


def sleep_together():
    """Sleeps again until all have begun: where the sleep of one held the others up, it would never end."""
    begun.append(None)
    while True:
        time.sleep(0.2)
        if len(begun) == 10:
            return


sleepers = [threading.Thread(target=sleep_together) for _ in range(10)]
for t in sleepers:
    t.start()
for t in sleepers:
    t.join()
print('slept together, not early:', time.monotonic() - began >= 0.2)

caught = []
threading.excepthook = lambda args: caught.append(args.exc_type.__name__)
failing = threading.Thread(target=lambda: 1 // 0)
failing.start()
failing.join()
print('caught:', caught)
print('distinct ids:', len({t.ident for t in sleepers + [threading.main_thread()]}) >= 2, threading.active_count())
threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
print('a daemon thread is left behind')

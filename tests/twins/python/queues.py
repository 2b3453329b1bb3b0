"""queue.Queue between producers and consumers; concurrent.futures on top of it."""
import concurrent.futures
import queue
import threading

from twin import report_threads

items, done = queue.Queue(maxsize=5), []
done_lock = threading.Lock()


def produce(n):
    for i in range(50):
        items.put(n * 50 + i)


def consume():
    while True:
        item = items.get()
        if item is None:
            return
        with done_lock:
            done.append(item)
        items.task_done()


consumers = [threading.Thread(target=consume) for _ in range(5)]
producers = [threading.Thread(target=produce, args=(n,)) for n in range(10)]
for t in consumers + producers:
    t.start()
report_threads()
for t in producers:
    t.join()
items.join()
for _ in consumers:
    items.put(None)
for t in consumers:
    t.join()
print(sorted(done) == list(range(500)))
try:
    queue.Queue().get(timeout=0.05)
except queue.Empty:
    print('empty')
ordered = queue.PriorityQueue()
for i in (3, 1, 2):
    ordered.put(i)
print([ordered.get() for _ in range(3)])

with concurrent.futures.ThreadPoolExecutor(20) as pool:
    all_here = threading.Barrier(20)
    print('mapped together:', sorted(pool.map(lambda _: all_here.wait(15), range(20))) == list(range(20)))
    print(list(pool.map(lambda n: n * n, range(10))))
    futures = [pool.submit(threading.Event().wait, 0.05) for _ in range(3)] + [pool.submit(int, 'x')]
    finished, pending = concurrent.futures.wait(futures)
    print(len(finished), len(pending), type(futures[-1].exception()).__name__)

"""signal: KeyboardInterrupt in a join, pthread_kill, sigwait, a wake-up descriptor under asyncio, an interval timer, masks."""
import asyncio
import os
import signal
import threading
import time

from twin import report_threads

hold = threading.Event()


def later(action, *arguments):
    thread = threading.Thread(target=lambda: (time.sleep(0.02), action(*arguments)))
    thread.start()
    return thread


def interrupted_join():
    worker = threading.Thread(target=hold.wait)
    worker.start()
    report_threads()
    joins = threading.Event()
    sender = later(lambda: (joins.wait(), os.kill(os.getpid(), signal.SIGINT)))
    try:
        joins.set()
        worker.join()
        print('the join ended')
    except KeyboardInterrupt:
        print('KeyboardInterrupt in join')
    sender.join()
    return worker


def handled_in_main():
    seen = []
    signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(threading.current_thread() is threading.main_thread()))
    sender = later(signal.pthread_kill, threading.main_thread().ident, signal.SIGUSR1)
    time.sleep(0.2)  # goes on for the rest of its time after the handler (PEP 475)
    sender.join()
    print('handled in main:', seen)


def waited_for():
    got = []
    waiter = threading.Thread(target=lambda: got.append(signal.sigwait({signal.SIGUSR2, signal.SIGTERM})))
    waiter.start()
    os.kill(os.getpid(), signal.SIGTERM)
    waiter.join()
    print('waited for:', [number.name for number in got], 'pending:', [number.name for number in signal.sigpending()])
    print('in time:', signal.sigtimedwait({signal.SIGUSR2}, 0.01))


async def under_asyncio():
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, done.set)
    sender = later(os.kill, os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(done.wait(), 10)
    await loop.run_in_executor(None, sender.join)
    print('asyncio heard it')
    loop.remove_signal_handler(signal.SIGUSR1)


def timed():
    ticks = []
    signal.signal(signal.SIGALRM, lambda number, frame: ticks.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    while len(ticks) < 5:
        sum(range(1000))
    signal.setitimer(signal.ITIMER_REAL, 0)
    print('ticks while computing')
    signal.alarm(0)


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})  # in every thread from now on
worker = interrupted_join()
handled_in_main()
waited_for()
asyncio.run(under_asyncio())
timed()
hold.set()
worker.join()
print('end')

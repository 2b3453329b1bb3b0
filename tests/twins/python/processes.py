"""subprocess from several threads, os.fork and os.waitpid beside living threads."""
import os
import subprocess
import sys
import threading

from twin import report_threads

stop, results = threading.Event(), {}
parked = [threading.Thread(target=stop.wait) for _ in range(3)]
for t in parked:
    t.start()
report_threads()


def run(i):
    done = subprocess.run(['/bin/sh', '-c', f'read line; echo "$line {i}"; exit {i}'], input=f'hello from {i}\n',
                          stdout=subprocess.PIPE, text=True, timeout=20)
    results[i] = (done.returncode, done.stdout)


runners = [threading.Thread(target=run, args=(i,)) for i in range(4)]
for t in runners:
    t.start()
for t in runners:
    t.join()
for i in sorted(results):
    print(i, results[i])

sys.stdout.flush()
pid = os.fork()
if pid == 0:
    t = threading.Thread(target=lambda: print('a thread in the child'))
    t.start()
    t.join()
    sys.stdout.flush()
    os._exit(5)
print('child ended with', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
stop.set()
for t in parked:
    t.join()
print(subprocess.check_output(['/bin/echo', 'from main'], text=True), end='')

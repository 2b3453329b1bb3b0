"""threads: what the POSIX calls themselves cost, in a plain C program, natively and preloaded."""
from kit import twice

QUESTION = "What do pthread_create, mutexes, conditions and semaphores cost?"


def run(context):
    twice.run(context, "threads", "micro_pthreads", context.scale("0.4", "0.1"), "POSIX calls")

"""waits: what two threads pay for waiting for one another through pipes, polls and streams, in a plain C program, natively and preloaded."""
from kit import twice

QUESTION = "What do pipes, polls and lines through streams cost?"
MOST = 3  # rounds


def run(context):
    twice.run(context, "waits", "micro_waits", context.scale("0.4", "0.1"), "between two threads", MOST)

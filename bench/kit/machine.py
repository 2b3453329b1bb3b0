"""machine: which cores there are, and one line that says where figures come from."""
import os
import platform


def cores():
    return sorted(os.sched_getaffinity(0))


class Pinning:
    """Where server and client may run: None means wherever the kernel likes."""

    def __init__(self, name, server, client):
        self.name, self.server, self.client = name, server, client


def one_core():
    """The server on one core, the client on another: for cost. With a single core, both share it."""
    return Pinning("one core", {cores()[0]}, {cores()[-1]})


def as_started():
    """Nothing pinned: what a user sees."""
    return Pinning("as started", None, None)


def describe():
    model = "unknown processor"
    try:
        with open("/proc/cpuinfo") as info:
            model = next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    libc = " ".join(platform.libc_ver())
    return f"{len(cores())} cores ({model}), {platform.system()} {'.'.join(platform.release().split('.')[:2])}, {libc}"

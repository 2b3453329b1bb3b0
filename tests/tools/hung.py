"""A hung program to look into: starts bank with the shim, and knows when nobody in it can go on any more."""
import contextlib
import os
import pathlib
import subprocess
import time


@contextlib.contextmanager
def hung(program, patch, **variables):
    """The process. It has said that it hangs, and sleeps; it is killed in the end."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GEV_")}
    process = subprocess.Popen([program], env={**environment, "LD_PRELOAD": patch, **variables}, stdout=subprocess.PIPE,
                               text=True)
    try:
        if process.stdout.readline() != "hung\n":
            raise RuntimeError("the program did not say that it hangs")
        # From here on it only runs until each thread has met its lock. Then it sleeps, and nothing will ever wake it.
        status = pathlib.Path(f"/proc/{process.pid}/stat")
        end = time.monotonic() + 20
        while status.read_text().rsplit(")", 1)[1].split()[0] != "S":
            if time.monotonic() > end:
                raise RuntimeError("the program does not come to rest")
            os.sched_yield()
        yield process
    finally:
        process.kill()
        process.communicate()

"""startup: what a program pays that never makes a thread: the time of /bin/true."""
import json
import subprocess

from kit import table

QUESTION = "What does the preload cost a program that does not need it?"


def run(context):
    command = [context.build.bench("startup"), context.build.patch, context.scale("1000", "200"), "/bin/true"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    figures = json.loads(done.stdout)
    context.emit(scenario="startup", **figures)
    context.title(f"/bin/true, {figures['runs']} runs each, interleaved, microseconds from spawn to exit")
    context.write(("", "median", "least"), [
        ("native", figures["native_us"], figures["native_least_us"]),
        ("preloaded", figures["preloaded_us"], figures["preloaded_least_us"]),
        ("preloaded / native", table.times(figures["preloaded_us"] / figures["native_us"]),
         table.times(figures["preloaded_least_us"] / figures["native_least_us"]))])

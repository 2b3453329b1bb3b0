"""seeds: the small programs that the project grew from, each natively, preloaded, and linked with libgev."""
import os
import subprocess
import time

from kit import table

SEEDS = (
    ("eat_play", "Two threads: one eats for 3 seconds, one plays for 2. It takes 3."),
    ("upper_500", "An upper-case server and 500 client threads in one process."),
    ("address", "The address of a function, before the patch and after."),
)


def once(context, name, label, command, preload=None):
    """Runs it, shows what was typed and what came; whether it ended well."""
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    if preload:
        environment["LD_PRELOAD"] = preload
    table.progress(f"{name}, {label}")
    begin = time.monotonic()
    try:
        done = subprocess.run([command], env=environment, capture_output=True, text=True, timeout=30)
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, status = "no end within 30 s\n", -1
    took = time.monotonic() - begin
    table.progress()
    typed = ("LD_PRELOAD=libpatch.so " if preload else "") + "./" + os.path.basename(command)
    print(f"  $ {typed}    ({label}, {took:.2f} s)")
    for line in output.splitlines():
        print("      " + line)
    context.emit(seed=name, variant=label, status=status, seconds=took, output=output)
    if status != 0:
        context.failed(f"{name}, {label}: ended with {status}")
    return status == 0


def run(context):
    good = True
    for name, what in SEEDS:
        context.title(what)
        good = once(context, name, "native", context.build.demo(name)) and good
        good = once(context, name, "preloaded", context.build.demo(name), context.build.patch) and good
        good = once(context, name, "linked with libgev", context.build.demo("gev_" + name)) and good
    return good

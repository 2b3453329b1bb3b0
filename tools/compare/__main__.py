"""`gev compare`: the user's program natively and green, in turn, under the user's load. Standard library only.

Started by the gev command: __main__.py GEV [options] -- program [arguments]. GEV is the command itself, which starts the green runs.
"""
import argparse
import json
import os
import signal
import sys
import time

import loads
import processes
import table

USAGE = 125
FAILED = 1


def say(line):
    print(f"gev: compare: {line}", file=sys.stderr, flush=True)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="gev compare", add_help=False, allow_abbrev=False)
    parser.error = lambda message: (say(message), sys.exit(USAGE))
    parser.add_argument("--load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait", type=float, default=10)
    parser.add_argument("--limit", type=float, default=600)
    parser.add_argument("--json", nargs="?", const="-")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    if options.program[:1] == ["--"]:
        options.program = options.program[1:]
    if not options.program:
        parser.error("which program?")
    if options.rounds < 1:
        parser.error("--rounds: at least one")
    return options


def start(command, options, before):
    """A run of the program that listens, if a load is to come. An address of the round before may still be taken: then it is tried again."""
    end = time.monotonic() + 70  # longer than Linux keeps TIME_WAIT, 60 s
    while True:
        program = processes.Program(command)
        try:
            if options.load:
                program.wait_until_it_listens(options.wait)
            return program
        except processes.Failed as failure:
            in_use = before and "already in use" in str(failure) and time.monotonic() < end
            program.stop()
            if not in_use:
                raise
            time.sleep(1)
        except BaseException:
            program.stop()
            raise


def one_round(command, options, before):
    program = start(command, options, before)
    try:
        began = program.cpu()
        if options.load:
            text, took = processes.run_load(program, options.load, options.limit)
            result = loads.read(text) or loads.Result()
        else:
            result, took = loads.Result(), wait_for_end(program, options.limit)
        used = program.cpu() - began if options.load else program.used
        return {"os_threads": program.most_threads, "memory": program.most_memory, "seconds": took, "cpu": used,
                "rate": result.rate, "p50": result.p50, "p99": result.p99, "requests": result.requests, "errors": result.errors,
                "cpu_a_request": used / result.requests if result.requests else None}
    finally:
        program.stop()


def wait_for_end(program, limit):
    """Without a load the program is its own. Its processor time is what the kernel says when it has ended (wait4(2))."""
    began = time.monotonic()
    while True:
        pid, status, usage = os.wait4(program.child.pid, os.WNOHANG)
        if pid:
            break
        program.sample()
        if time.monotonic() - began > limit:
            raise processes.Failed(f"the program did not end within {limit:g} s; a server wants --load")
        time.sleep(0.02)
    program.child.returncode = os.waitstatus_to_exitcode(status)
    program.used = usage.ru_utime + usage.ru_stime
    if program.child.returncode:
        raise processes.Failed(f"{program.ending()}{program.last_words()}")
    return time.monotonic() - began


def compare(gev, options):
    commands = {"native": options.program, "green": [gev, "run", "--no-monitor", "--", *options.program]}
    rounds = {way: [] for way in table.WAYS}
    for number in range(options.rounds):
        # In turn, and every other round the other way round: what changes with time meets both alike.
        for way in table.WAYS if number % 2 == 0 else reversed(table.WAYS):
            before = any(rounds.values())
            try:
                result = one_round(commands[way], options, before)
            except processes.Failed as failure:
                raise processes.Failed(f"{way}: {failure}") from None
            rounds[way].append(result)
            if not options.quiet:
                rate = f"{table.count(result['rate'])} requests/s" if result["rate"] else table.duration(result["seconds"])
                say(f"round {number + 1} of {options.rounds}, {way}: {rate}")
    return rounds


def report(options, rounds):
    summary = {way: table.medians(rounds[way]) for way in table.WAYS}
    figures = {"program": options.program, "load": options.load, "rounds": rounds, "medians": summary}
    if options.json == "-":
        print(json.dumps(figures, indent=2))
        return
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=2)
    print("\n".join(table.lines(summary)))
    many = "one round" if options.rounds == 1 else f"medians of {options.rounds} rounds in turn"
    print(f"{many}; {'load: ' + options.load if options.load else 'no load: the program by itself'}")
    if options.load and "rate" not in summary["native"]:
        print("What the load printed says nothing of requests that is known here; the time is that of the whole load.")
    elif options.load and "p50" not in summary["native"] and "wrk" in options.load:
        print("wrk says p50 and p99 when it is given --latency.")


def main(gev, *arguments):
    options = parse(arguments)
    # What an end by a signal leaves behind would be found by nobody: it becomes an exception.
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda number, frame: sys.exit(128 + number))
    processes.adopt_orphans()
    try:
        report(options, compare(gev, options))
    except processes.Failed as failure:
        say(failure)
        return FAILED
    except FileNotFoundError as error:
        say(f"'{error.filename}': {error.strerror}")
        return FAILED
    except PermissionError as error:
        say(f"'{error.filename}': {error.strerror}")
        return FAILED
    except KeyboardInterrupt:
        say("interrupted; what it had started is ended")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""servers: one program, natively and preloaded, under the same load: a table and the sentence that it amounts to."""
from kit import rounds, table

HEAD = ("", "OS threads", "memory MiB", "req/s", "p50 ms", "p99 ms", "CPU us/req", "answers checked", "wrong")


def row(label, runs):
    def median(path, unit=1):
        value = rounds.median(runs, path)
        return None if value is None else value / unit

    return (label, median("open.threads"), median("open.memory_kb", 1024), median("per_second"), median("p50_us", 1000),
            median("p99_us", 1000), median("cpu_us_per_request"), rounds.total(runs, "checked"),
            rounds.total(runs, "wrong") + rounds.total(runs, "errors"))


def compare(context, name, kinds, pinnings, **load):
    """kinds holds "native" and "preloaded", and may hold others to stand beside them. Whether all went well."""
    rows, verdicts, good = [], [], True
    for pinning in pinnings:
        runs = context.load_rounds(name, kinds, pinning, **load)
        rows += [row(f"{label}, {pinning.name}", found) for label, found in runs.items()]
        said, fine = verdict(runs, pinning)
        verdicts.append(said)
        good = good and fine
        context.emit(verdict=name, pinning=pinning.name, good=fine, text=said)
    table.write(HEAD, rows)
    print()
    for said in verdicts:
        print(f"  => {said}")
    return good


def verdict(runs, pinning):
    native, preloaded = runs["native"], runs["preloaded"]
    threads = rounds.median(preloaded, "open.threads")
    if not rounds.values(preloaded, "per_second") or not rounds.values(native, "per_second"):
        return f"{pinning.name}: no figures", False
    mistakes = sum(rounds.total(preloaded, what) for what in ("wrong", "errors"))
    text = "{}: {:.0f} OS thread{} instead of {:.0f}, {} the requests per second, {} the CPU a request, {}".format(
        pinning.name, threads, "" if threads == 1 else "s", rounds.median(native, "open.threads"),
        table.times(rounds.ratio(preloaded, native, "per_second")),
        table.times(rounds.ratio(preloaded, native, "cpu_us_per_request")),
        f"{mistakes} WRONG OR MISSING ANSWERS" if mistakes else "every answer right")
    for other in set(runs) - {"native", "preloaded"}:
        text += f"; {table.times(rounds.ratio(preloaded, runs[other], 'per_second'))} {other}"
    return text, threads == 1 and not mistakes

"""load: runs the load client (bench/load) against a server and gives back its figures as a dictionary."""
import json
import os
import subprocess


class Stuck(Exception):
    pass


def run(build, server, *, connections, requests=None, seconds=None, active=None, warmup=None, size=None, rate=None,
        brief=False, via=(), cores=None, around=None, patience=60, limit=300):
    """`via` is () or ("--socks5", "127.0.0.1:80"). `around`, a context manager, is entered when everything is open and
    warm and left when the counted requests are answered and nothing is closed yet: it sees these requests alone."""
    argv = [build.bench("load"), "--connections", str(connections), "--pid", str(server.pid),
            "--patience", str(patience), *via]
    for name, value in (("requests", requests), ("seconds", seconds), ("active", active), ("warmup", warmup),
                        ("size", size), ("rate", rate)):
        if value is not None:
            argv += ["--" + name, str(value)]
    if brief:
        argv.append("--brief")
    if around:
        argv.append("--wait")
    argv.append(f"127.0.0.1:{server.port}")
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    client = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=pin)
    try:
        if around:
            client.stdout.readline()
            with around:
                client.stdin.write("go\n")
                client.stdin.flush()
                output = client.stdout.readline()
            client.communicate(timeout=limit)
        else:
            output = client.communicate(timeout=limit)[0]
    except BaseException:
        client.kill()
        client.wait()
        raise
    if not output.strip():
        raise Stuck(f"the load client said nothing (exit status {client.returncode}): {' '.join(argv)}")
    figures = json.loads(output)
    for place in ("before", "open", "after"):
        if place in figures:
            figures[place]["memory_kb"] = figures[place]["rss_kb"] + figures[place]["pte_kb"]
    return figures


def right(figures):
    """Whether every answer came and was right, and the server outlived it."""
    return not figures["wrong"] and not figures["errors"] and not figures.get("gone")

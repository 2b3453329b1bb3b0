"""kinds: the servers that are compared, by name: how each is started. Those whose program was not built are left out."""
import os
import subprocess

from kit.server import Server
from kit.tree import PEERS, PYTHON


def native(build, cores=None):
    return Server([build.demo("legacy_server"), "0"], cores=cores)


def preloaded(build, cores=None):
    return Server([build.demo("legacy_server"), "0"], cores=cores, preload=build.patch)


def program(name, **environment):
    """A server of bench/peers."""

    def start(build, cores=None):
        return Server([build.bench(name), "0"], cores=cores, env=environment)

    return start


def script(name, preload=False):
    """A Python server of bench/peers."""

    def start(build, cores=None):
        return Server([PYTHON, f"{PEERS}/{name}", "0"], cores=cores, preload=build.patch if preload else None)

    return start


python_native = script("python_server.py")
python_preloaded = script("python_server.py", preload=True)
python_gevent = script("gevent_server.py")


def have_gevent():
    return subprocess.run([PYTHON, "-c", "import gevent"], capture_output=True).returncode == 0


def c_kinds():
    return {"native threads": native, "preloaded": preloaded, "linked with libgev": program("gev_server"),
            "hand-written epoll": program("epoll_server")}


# name: (program of bench/peers, environment, the Debian package that it wants)
PEER_SERVERS = {
    "libuv": ("uv_server", {}, "libuv1-dev"),
    "Go, one processor": ("go_server", {"GOMAXPROCS": "1"}, "golang-go"),
    "State Threads (poll)": ("st_server", {}, "libst-dev"),
}


def peer_kinds(context):
    """The other libraries' servers, and a word about those that are missing."""
    kinds = {}
    for name, (server, environment, package) in PEER_SERVERS.items():
        if os.path.exists(os.path.join(context.build.folder, "bench", server)):
            kinds[name] = program(server, **environment)
        else:
            context.say(f"left out: {name} (no {package} when this was built)")
    if have_gevent():
        kinds["gevent"] = script("gevent_echo.py")
    else:
        context.say("left out: gevent (no python3-gevent)")
    return kinds


def all_kinds(context):
    return {**c_kinds(), **peer_kinds(context)}


def python_kinds():
    kinds = {"native threads": python_native, "preloaded": python_preloaded}
    if have_gevent():
        kinds["gevent"] = python_gevent
    return kinds

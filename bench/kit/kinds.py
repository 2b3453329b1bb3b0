"""kinds: the servers that are compared, by name: how each is started."""
import subprocess

from kit.server import Server
from kit.tree import PEERS, PYTHON


def native(build, cores=None):
    return Server([build.demo("legacy_server"), "0"], cores=cores)


def preloaded(build, cores=None):
    return Server([build.demo("legacy_server"), "0"], cores=cores, preload=build.patch)


def epoll(build, cores=None):
    return Server([build.bench("epoll_server"), "0"], cores=cores)


def linked(build, cores=None):
    return Server([build.bench("gev_server"), "0"], cores=cores)


def python_native(build, cores=None):
    return Server([PYTHON, f"{PEERS}/python_server.py", "0"], cores=cores)


def python_preloaded(build, cores=None):
    return Server([PYTHON, f"{PEERS}/python_server.py", "0"], cores=cores, preload=build.patch)


def python_gevent(build, cores=None):
    return Server([PYTHON, f"{PEERS}/gevent_server.py", "0"], cores=cores)


def have_gevent():
    return subprocess.run([PYTHON, "-c", "import gevent"], capture_output=True).returncode == 0


def c_kinds():
    return {"native threads": native, "preloaded": preloaded, "linked with libgev": linked,
            "hand-written epoll": epoll}


def python_kinds():
    kinds = {"native threads": python_native, "preloaded": python_preloaded}
    if have_gevent():
        kinds["gevent"] = python_gevent
    return kinds

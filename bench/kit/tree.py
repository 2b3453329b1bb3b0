"""tree: where the built things are."""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(ROOT, "bench", "peers")
PYTHON = "/usr/bin/python3"  # Debian's: the one that python3-gevent is installed for, used for every variant


class Build:
    def __init__(self, folder):
        self.folder = os.path.abspath(folder)

    def path(self, *parts):
        path = os.path.join(self.folder, *parts)
        if not os.path.exists(path):
            raise SystemExit(f"{path} is missing: build the tree first (meson compile -C {self.folder})")
        return path

    def bench(self, name):
        return self.path("bench", name)

    def demo(self, name):
        return self.path("demos", name)

    @property
    def patch(self):
        return self.path("shim", "libpatch.so")

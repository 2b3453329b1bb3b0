"""gevent_server: the same threading server, patched by gevent itself: the peer that does in Python what we do below it.

Usage: gevent_server.py PORT    as python_server.py.
"""
from gevent import monkey

monkey.patch_all()

import python_server  # noqa: E402  only now: its imports must find the patched modules

if __name__ == "__main__":
    python_server.main()

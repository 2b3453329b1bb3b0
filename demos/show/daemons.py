"""daemons: two programs from Debian packages, as they come, that make a thread per connection.

microsocks is a SOCKS5 proxy, tinyproxy an HTTP proxy. The load client opens a tunnel through them to an upper-case
server that is not part of the comparison, so the same bytes are checked as everywhere else.
"""
import os
import shutil
import tempfile

from kit.server import Server, free_port
from show import servers


def microsocks(preload):
    def start(_build, cores):
        port = free_port()
        return Server(["microsocks", "-i", "127.0.0.1", "-p", str(port)], port=port, cores=cores, preload=preload)

    return start


def tinyproxy(preload, folder):
    def start(_build, cores):
        port = free_port()
        path = os.path.join(folder, f"tinyproxy-{port}.conf")
        with open(path, "w") as config:
            # its own default turns the 101st client away
            config.write(f"Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 20000\n"
                         f'LogLevel Critical\nLogFile "{folder}/tinyproxy-{port}.log"\n')
        return Server(["tinyproxy", "-d", "-c", path], port=port, cores=cores, preload=preload)

    return start


def run(context, pinnings, **load):
    """Whether all went well. A daemon that is not installed is named and passed over."""
    good = True
    with tempfile.TemporaryDirectory(prefix="demo-") as folder, \
            Server([context.build.bench("epoll_server"), "0"]) as upstream:
        for name, make, option, what in (
                ("microsocks", microsocks, "--socks5", "a SOCKS5 proxy"),
                ("tinyproxy", lambda preload: tinyproxy(preload, folder), "--http-connect", "an HTTP proxy")):
            if not shutil.which(name):
                context.title(f"{name} is not installed, so it is not shown (apt install {name})")
                continue
            context.title(f"{name} from its Debian package, {what}: {load['connections']} connections through it")
            kinds = {"native": make(None), "preloaded": make(context.build.patch)}
            good = servers.compare(context, name, kinds, pinnings, via=(option, f"127.0.0.1:{upstream.port}"),
                                   **load) and good
    return good

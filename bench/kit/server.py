"""server: one server process under measurement: started on a free loopback port, ended by its pid.

A server that was to be preloaded and is not (the dynamic linker only prints a message then) would be measured as
native and look like a result: so the mapping of libpatch.so is checked.
"""
import os
import resource
import select
import socket
import subprocess
import tempfile
import time


class ServerFailed(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Server:
    """with Server(argv, preload=path) as server: server.port, server.pid

    argv either ends in a port of 0, and the program prints `listening on 127.0.0.1:PORT` as its first line; or `port`
    says where it will listen, and it is waited for by connecting.
    """

    def __init__(self, argv, *, preload=None, cores=None, port=None, env=None, patience=60):
        self.argv, self.preload, self.cores, self.port, self.patience = argv, preload, cores, port, patience
        self.announces = port is None
        self.env = dict(os.environ, **(env or {}))
        self.env.pop("LD_PRELOAD", None)
        if preload:
            self.env["LD_PRELOAD"] = preload
        self.process = None

    def _in_child(self):
        raise_descriptor_limit()
        if self.cores:
            os.sched_setaffinity(0, self.cores)

    def __enter__(self):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            self.argv, env=self.env, stdin=subprocess.DEVNULL, stderr=self.errors, preexec_fn=self._in_child,
            stdout=subprocess.PIPE if self.announces else subprocess.DEVNULL)
        try:
            if self.announces:
                self._await_line()
            else:
                self._await_listening()
            if self.preload and not self._maps("libpatch.so"):
                raise self._failed("was started without libpatch.so: " + self.preload)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """SIGTERM, and SIGKILL for one that does not listen to it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.errors.close()

    def alive(self):
        return self.process.poll() is None

    def complaint(self):
        """What the server wrote to its standard error, the last of it."""
        self.errors.seek(0)
        return self.errors.read()[-2000:]

    def _failed(self, what):
        return ServerFailed(f"{' '.join(self.argv)} {what}\n{self.complaint()}")

    def _await_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], self.patience)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line.startswith("listening on "):
            raise self._failed("did not say where it listens")
        self.port = int(line.rsplit(":", 1)[1])

    def _await_listening(self):
        end = time.monotonic() + self.patience
        while time.monotonic() < end and self.alive():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise self._failed("does not accept connections")

    def _maps(self, library):
        with open(f"/proc/{self.pid}/maps") as maps:
            return library in maps.read()

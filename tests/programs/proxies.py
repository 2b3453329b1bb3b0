"""Cases: programs that pass on what others say."""
import contextlib
import re
import subprocess

from case import Case, connect, echo, get, page_server, read_all, together

PEM = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]


def socks(place):
    """By name, so that the proxy has to look it up."""
    def one(_):
        with connect(place.port) as s:
            s.sendall(b"\5\1\0")
            hello = s.recv(2)
            s.sendall(b"\5\1\0\3\x09localhost" + place.other.to_bytes(2, "big"))
            opened = s.recv(10)[:2]
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return hello + opened + read_all(s).partition(b"\r\n\r\n")[2]
    return together(one)


def through_proxy(place):
    return together(lambda i: get(place.port, f"127.0.0.1:{place.other}", f"http://127.0.0.1:{place.other}"))


def tinyproxy_files(place):
    (place / "conf").write_text(f"Port {place.port}\nListen 127.0.0.1\nTimeout 10\nMaxClients 100\n")
    return page_server(place)


def certificate(place):
    subprocess.run([*PEM, "-keyout", place / "key", "-out", place / "cert"], check=True, capture_output=True)
    (place / "key").chmod(0o644)  # for those that give up being root


def stunnel_files(place):
    certificate(place)
    (place / "conf").write_text(f"foreground = yes\npid =\n[one]\naccept = 127.0.0.1:{place.port}\n"
                                f"connect = 127.0.0.1:{place.other}\ncert = {place / 'cert'}\nkey = {place / 'key'}\n")
    return page_server(place)


def over_tls(place):
    import ssl
    context = ssl._create_unverified_context()

    def one(_):
        with connect(place.port) as plain, context.wrap_socket(plain) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            with contextlib.suppress(ssl.SSLEOFError):
                return read_all(s).partition(b"\r\n\r\n")[2]
    return together(one)


def haproxy_files(place):
    (place / "conf").write_text(f"global\n  nbthread 2\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n"
                                f"  timeout server 5s\nlisten one\n  bind 127.0.0.1:{place.port}\n"
                                f"  server s 127.0.0.1:{place.other}\n")
    return page_server(place)


def squid_files(place):
    """Its cache is kept by threads that read and write files."""
    (place / "cache").mkdir()
    for name in place.folder, place / "cache":
        name.chmod(0o777)
    (place / "conf").write_text(f"http_port 127.0.0.1:{place.port}\ncache_dir aufs {place / 'cache'} 100 4 4\npid_filename none\n"
                                f"cache_log {place / 'log'}\naccess_log none\ncache_store_log none\nhttp_access allow all\n"
                                "shutdown_lifetime 0 seconds\nvisible_hostname x\npinger_enable off\nminimum_object_size 0\n"
                                f"coredump_dir {place.folder}\ncache_mem 0 MB\nnetdb_filename none\n")
    subprocess.run(["squid", "-N", "-z", "-f", place / "conf"], check=True, capture_output=True)
    return page_server(place)


def tor_answers(place):
    """Its network has one authority, which nobody has started; so what it is asked for, it refuses."""
    def one(_):
        with connect(place.port) as s:
            s.sendall(b"\5\1\0")
            hello = s.recv(2)
            s.sendall(b"\5\1\0\3\x06a.exit\0\1")
            return hello + s.recv(10)[:2]
    return together(one)


def http2_files(place):
    certificate(place)
    return page_server(place)


def http2_load(place):
    """Two threads of h2load, twenty connections, ten requests on each at a time: how many got their answers."""
    status, said = place.client("h2load", "-t2", "-c20", "-n200", "-m10", f"https://127.0.0.1:{place.port}/page")
    return status, re.findall(rb"requests: .*|status codes: .*", said)


def hitch_files(place):
    certificate(place)
    (place / "pem").write_bytes((place / "key").read_bytes() + (place / "cert").read_bytes())
    (place / "pem").chmod(0o644)
    (place / "conf").write_text(f'frontend = "[127.0.0.1]:{place.port}"\nbackend = "[127.0.0.1]:{place.other}"\n'
                                f'pem-file = "{place / "pem"}"\nworkers = 2\nuser = "nobody"\n')
    return page_server(place)


def privoxy_files(place):
    (place / "conf").write_text(f"listen-address 127.0.0.1:{place.port}\nconfdir /etc/privoxy\n")
    return page_server(place)


CASES = [
    Case("microsocks", "microsocks", "SOCKS proxy, a thread a connection", lambda p: ["microsocks", "-i", "127.0.0.1", "-p", p.port],
         page_server, socks),
    Case("tinyproxy", "tinyproxy-bin", "HTTP proxy, a thread a connection", lambda p: ["tinyproxy", "-d", "-c", p / "conf"],
         tinyproxy_files, through_proxy),
    Case("stunnel4", "stunnel4 openssl", "TLS proxy, a thread a connection", lambda p: ["stunnel4", p / "conf"], stunnel_files, over_tls),
    Case("haproxy", "haproxy", "HTTP proxy, two threads with an epoll each", lambda p: ["haproxy", "-db", "-f", p / "conf"],
         haproxy_files, lambda p: together(lambda i: get(p.port))),
    Case("squid", "squid", "HTTP proxy, an event loop, and threads for its cache", lambda p: ["squid", "-N", "-f", p / "conf"],
         squid_files, through_proxy),
    Case("socat", "socat", "relay, a process a connection",
         lambda p: ["socat", f"TCP-LISTEN:{p.port},bind=127.0.0.1,reuseaddr,fork,backlog=50", "EXEC:/bin/cat"], None, echo),
    Case("tor", "tor", "SOCKS proxy, an event loop, and threads that compute",
         lambda p: ["tor", "-f", "/nonexistent", "--ignore-missing-torrc", "--defaults-torrc", "/nonexistent", "--SocksPort",
                    f"127.0.0.1:{p.port}", "--DataDirectory", p / "data", "--Log", "err stderr", "--TestingTorNetwork", "1",
                    "--DirAuthority", f"a orport=1 127.0.0.1:{p.other} {'A' * 40}"],
         None, tor_answers),
    Case("nghttpx", "nghttp2-proxy nghttp2-client openssl", "HTTP/2 proxy, four threads with an epoll each",
         lambda p: ["nghttpx", "-n4", "--errorlog-file=/dev/null", f"-f127.0.0.1,{p.port}", f"-b127.0.0.1,{p.other}", p / "key", p / "cert"],
         http2_files, http2_load),
    Case("hitch", "hitch openssl", "TLS proxy, two processes with an event loop each", lambda p: ["hitch", "--config", p / "conf"], hitch_files,
         over_tls),
    Case("privoxy", "privoxy", "HTTP proxy, a thread a connection", lambda p: ["privoxy", "--no-daemon", p / "conf"], privoxy_files, through_proxy),
]

"""Cases: servers, by themselves and with the clients that belong to them."""
import ftplib
import hashlib
import io
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

from case import Case, compile_here, connect, echo, get, lines_of, some_history, together
from proxies import certificate

PAGE = b"".join(b"%d lines of a page\n" % n for n in range(150000))  # more than a socket takes at once


def page_file(place):
    (place / "page").write_bytes(PAGE)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def pages(place, n=8):
    """The big page and one that is not there, several times at once."""
    return together(lambda i: (digest(get(place.port, path="/page")), len(get(place.port, path="/absent")) > 0), n)


def memcached(place):
    return together(lambda i: lines_of(place.port, b"set k%d 0 0 5\r\nhello\r\nget k%d\r\n" % (i, i), 4))


def redis(place):
    """Small ones, and values bigger than a socket takes at once."""
    small = together(lambda i: lines_of(place.port, b"SET k%d v\r\nGET k%d\r\nUNLINK k%d\r\n" % (i, i, i), 4))
    value = b"x" * 1000000

    def one(i):
        with connect(place.port) as s, s.makefile("rb") as answer:
            s.sendall(b"*3\r\n$3\r\nSET\r\n$4\r\nb%03d\r\n$%d\r\n%s\r\nGET b%03d\r\n" % (i, len(value), value, i))
            return answer.readline(), answer.readline(), answer.read(len(value) + 2) == value + b"\r\n"
    return small + together(one)


def unbound_files(place):
    (place / "conf").write_text(f"server:\n  interface: 127.0.0.1@{place.port}\n  num-threads: 2\n  chroot: \"\"\n  username: \"\"\n"
                                f"  use-syslog: no\n  directory: \"{place.folder}\"\n  pidfile: \"\"\n  do-daemonize: no\n"
                                f"  local-data: \"a.test. A 10.0.0.1\"\nremote-control:\n  control-enable: no\n")


def questions(place):
    """A DNS question for a.test over TCP and UDP (RFC 1035); the last four bytes of the answer are the address."""
    question = bytes.fromhex("1234010000010000000000000161047465737400" "00010001")

    def one(_):
        with connect(place.port) as s, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            s.sendall(len(question).to_bytes(2, "big") + question)
            u.settimeout(5)
            u.sendto(question, ("127.0.0.1", place.port))
            return s.recv(512)[-4:], u.recv(512)[-4:]
    return together(one)


def nginx_files(place):
    page_file(place)
    (place / "conf").write_text(f"daemon off; pid {place / 'pid'}; worker_processes 2; error_log stderr;\n"
                                "thread_pool default threads=4; events {}\n"
                                f"http {{ access_log off; aio threads; sendfile on; client_body_temp_path {place / 'b'};\n"
                                f"  proxy_temp_path {place / 'p'}; fastcgi_temp_path {place / 'f'}; uwsgi_temp_path {place / 'u'};\n"
                                f"  scgi_temp_path {place / 's'};\n"
                                f"  server {{ listen 127.0.0.1:{place.port}; root {place.folder}; }} }}\n")


def apache_files(module):
    def files(place):
        page_file(place)
        modules = "/usr/lib/apache2/modules/mod_"
        (place / "conf").write_text(f"ServerRoot {place.folder}\nServerName x\nListen 127.0.0.1:{place.port}\nPidFile pid\nErrorLog log\n"
                                    f"LoadModule {module}_module {modules}{module}.so\nLoadModule authz_core_module {modules}authz_core.so\n"
                                    f"User www-data\nGroup www-data\nStartServers 2\nThreadsPerChild 10\nMinSpareThreads 10\n"
                                    f"MaxRequestWorkers 20\nDocumentRoot {place.folder}\nDefaultRuntimeDir {place.folder}\n")
    return files


def lighttpd_files(place):
    page_file(place)
    (place / "conf").write_text(f'server.port = {place.port}\nserver.bind = "127.0.0.1"\nserver.document-root = "{place.folder}"\n')


def tls_pages(place):
    """By openssl's own client; its server answers one after the other."""
    return [place.client("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{place.port}", given=b"GET /page HTTP/1.0\r\n\r\n")[1]
            .endswith(PAGE[-1000:]) for _ in range(3)]


def tls_files(place):
    certificate(place)
    page_file(place)


def sshd_files(place):
    for name in "host", "key":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
    shutil.copy(place / "key.pub", place / "authorized")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # as the package's own start script does
    (place / "conf").write_text(f"Port {place.port}\nListenAddress 127.0.0.1\nHostKey {place / 'host'}\nPidFile none\nStrictModes no\n"
                                f"AuthorizedKeysFile {place / 'authorized'}\nUsePAM no\nPermitRootLogin yes\nMaxStartups 100\n"
                                "Subsystem sftp internal-sftp\n")


def ssh(place, *words, given=b"", program="ssh"):
    port = {"ssh": "-p"}.get(program, "-P")
    return place.client(program, "-q", "-F", "none", "-i", place / "key", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                        "-o", "BatchMode=yes", port, place.port, *words, given=given)


def ssh_sessions(place):
    """Bytes there and back, a status, a terminal of its own, a file."""
    def one(i):
        status, said = ssh(place, "127.0.0.1", "cat; exit 3", given=PAGE[:-i or None])
        return status, digest(said)
    answers = together(one, 4)
    answers.append(ssh(place, "-tt", "127.0.0.1", "stty -a | head -c 5; tty | head -c 9"))
    (place / "sent").write_bytes(PAGE)
    answers.append(ssh(place, place / "sent", f"127.0.0.1:{place / 'came'}", program="scp"))
    return answers, digest((place / "came").read_bytes())


def postgres_files(place):
    """As its own user: it refuses to be root."""
    (place / "data").mkdir()
    if AS_POSTGRES:
        owner = pwd.getpwnam("postgres")
        os.chown(place / "data", owner.pw_uid, owner.pw_gid)
    subprocess.run([*AS_POSTGRES, f"{POSTGRES}/initdb", "-A", "trust", "-N", "-D", place / "data"], check=True, capture_output=True)


POSTGRES = next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), pathlib.Path("/nonexistent"))
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []


def pgbench(place):
    """Its client has two threads with a poll each."""
    to = ["-h", "127.0.0.1", "-p", place.port, "-U", "postgres"]
    made = place.client(f"{POSTGRES}/pgbench", *to, "-i", "-q", "-s", "1")[0]
    status, said = place.client(f"{POSTGRES}/pgbench", *to, "-c", "8", "-j", "2", "-t", "50")
    checked = place.client(f"{POSTGRES}/psql", *to, "-At", "-c", "select count(*), (select sum(abalance) from pgbench_accounts) = "
                           "(select sum(delta) from pgbench_history) from pgbench_history")
    return made, status, b"400/400" in said, checked


def git_files(place):
    (place / "repository").mkdir()
    some_history(place, place / "repository")


def clones(place):
    def one(i):
        status, _ = place.client("git", "-c", "pack.threads=4", "clone", "-q", f"git://127.0.0.1:{place.port}/repository", place / f"clone{i}")
        return status, place.client("git", "-C", place / f"clone{i}", "rev-parse", "HEAD"), len(list((place / f"clone{i}").glob("f*")))
    return together(one, 4)


def rsync_files(place):
    (place / "data").mkdir()
    (place / "data" / "page").write_bytes(PAGE)
    (place / "conf").write_text(f"use chroot = no\nuid = {os.getuid()}\n[data]\npath = {place / 'data'}\nread only = no\n")


def rsyncs(place):
    def one(i):
        got = place.client("rsync", "-a", f"rsync://127.0.0.1:{place.port}/data/page", place / f"got{i}")
        put = place.client("rsync", "-a", place / f"got{i}", f"rsync://127.0.0.1:{place.port}/data/")
        return got, put, digest((place / "data" / f"got{i}").read_bytes())
    return together(one, 4)


def vsftpd_files(place):
    (place / "files").mkdir()
    (place / "files" / "page").write_bytes(PAGE)
    (place / "empty").mkdir()
    (place / "conf").write_text(f"listen=YES\nbackground=NO\nlisten_address=127.0.0.1\nlisten_port={place.port}\nanonymous_enable=YES\n"
                                f"anon_root={place / 'files'}\nsecure_chroot_dir={place / 'empty'}\nxferlog_enable=NO\n")


def ftp(place):
    def one(_):
        got = io.BytesIO()
        with ftplib.FTP() as client:
            client.connect("127.0.0.1", place.port, 10)
            client.login()
            client.retrbinary("RETR page", got.write)
            return client.nlst(), digest(got.getvalue())
    return together(one, 8)


def mosquitto(place):
    """Each waits for one message that stays; one publishes it."""
    place.client("mosquitto_pub", "-p", place.port, "-t", "a", "-r", "-m", "hello")
    return together(lambda i: place.client("mosquitto_sub", "-p", place.port, "-t", "a", "-C", "1", "-W", "10"), 8)


def iperf3(place):
    """Four streams each way, and datagrams: how many ended, without an error."""
    import json
    answers = []
    for way in ["-P", "4"], ["-P", "4", "-R"], ["-u", "-b", "10M"]:
        said = json.loads(place.client("iperf3", "-c", "127.0.0.1", "-p", place.port, "-n", "2M", "-J", *way)[1])
        answers.append((said.get("error"), len(said["end"]["streams"])))
    return answers


def transmission_files(place):
    import json
    (place / "settings.json").write_text(json.dumps({
        "rpc-port": place.port, "rpc-bind-address": "127.0.0.1", "rpc-authentication-required": False, "bind-address-ipv4": "127.0.0.1",
        "bind-address-ipv6": "::1", "dht-enabled": False, "lpd-enabled": False, "pex-enabled": False, "port-forwarding-enabled": False,
        "peer-port": place.other, "utp-enabled": False, "download-dir": str(place.folder)}))


def php_files(place):
    (place / "a.php").write_text("<?php $s = 0; for ($i = 0; $i < 1000; $i++) $s += $i; usleep(1000); echo gethostbyname('localhost'), $s;")
    (place / "conf").write_text(f"[global]\nerror_log = {place / 'log'}\npid = {place / 'pid'}\n[www]\nuser = www-data\nlisten = "
                                f"127.0.0.1:{place.port}\npm = static\npm.max_children = 4\n")


def fastcgi(place):
    """The FastCGI protocol's begin, parameters and empty input as records of version 1 (its specification, section 3.3)."""
    def record(kind, body):
        return bytes([1, kind, 0, 1]) + len(body).to_bytes(2, "big") + b"\0\0" + body

    words = {"SCRIPT_FILENAME": str(place / "a.php"), "REQUEST_METHOD": "GET"}
    pairs = b"".join(bytes([len(k), len(v)]) + k.encode() + v.encode() for k, v in words.items())

    def one(_):
        with connect(place.port) as s:
            s.sendall(record(1, bytes([0, 1, 0, 0, 0, 0, 0, 0])) + record(4, pairs) + record(4, b"") + record(5, b""))
            with s.makefile("rb") as answer:
                return answer.read().count(b"127.0.0.1499500")
    return together(one)


PYTHON = """
import socketserver
class H(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line.upper())
class S(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
S(("127.0.0.1", %d), H).serve_forever()
"""

WEBRICK = """
require "webrick"
s = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: %d, AccessLog: [], Logger: WEBrick::Log.new(File::NULL), DocumentRoot: "%s")
trap("TERM") { s.shutdown }
s.start
"""


def webrick_command(place):
    return ["ruby", "-e", WEBRICK % (place.port, place.folder)]


def puma_files(place):
    page_file(place)
    (place / "config.ru").write_text('run ->(env) { env["PATH_INFO"] == "/page" ? [200, {}, [File.binread("page")]] : [404, {}, ["no"]] }\n')


CASES = [
    Case("/usr/bin/python3", "python3", "ThreadingTCPServer, a thread a connection",
         lambda p: ["/usr/bin/python3", "-c", PYTHON % p.port], None, echo),
    Case("microhttpd.c", "libmicrohttpd-dev gcc", "libmicrohttpd's HTTP server, a thread a connection", lambda p: [p / "program", p.port, p / "page"],
         lambda p: page_file(p) or compile_here(p, "microhttpd.c", "-lmicrohttpd"), pages),
    Case("nginx", "nginx-light", "HTTP server, two processes with an epoll each and threads that read files", lambda p: ["nginx", "-c", p / "conf"],
         nginx_files, pages),
    Case("apache2", "apache2-bin", "HTTP server, the worker MPM", lambda p: ["apache2", "-D", "FOREGROUND", "-f", p / "conf"],
         apache_files("mpm_worker"), pages),
    Case("apache2", "apache2-bin", "HTTP server, the event MPM", lambda p: ["apache2", "-D", "FOREGROUND", "-f", p / "conf"],
         apache_files("mpm_event"), pages),
    Case("lighttpd", "lighttpd", "HTTP server, an event loop", lambda p: ["lighttpd", "-D", "-f", p / "conf"], lighttpd_files, pages,
         any_status=True),
    Case("openssl", "openssl", "`s_server` and `s_client`", lambda p: ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{p.port}", "-key",
                                                                      p / "key", "-cert", p / "cert", "-WWW"], tls_files, tls_pages),
    Case("/usr/sbin/sshd", "openssh-server openssh-client", "`sshd` with `ssh` and `scp`", lambda p: ["/usr/sbin/sshd", "-D", "-e", "-f", p / "conf"],
         sshd_files, ssh_sessions),
    Case("vsftpd", "vsftpd", "FTP server, processes in a sandbox of system calls", lambda p: ["vsftpd", p / "conf"], vsftpd_files, ftp,
         root=True),
    Case("rsync", "rsync", "daemon and client", lambda p: ["rsync", "--daemon", "--no-detach", "--config", p / "conf", "--port", p.port, "--address",
                                                           "127.0.0.1"], rsync_files, rsyncs),
    Case("git", "git", "daemon, and `clone` with four threads",
         lambda p: ["git", "daemon", "--export-all", "--listen=127.0.0.1", f"--port={p.port}", f"--base-path={p.folder}"], git_files, clones),
    Case("memcached", "memcached", "cache, four threads with an epoll each",
         lambda p: ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", p.port], None, memcached),
    Case("redis-server", "redis-server", "data base, one thread that serves and some that tidy up",
         lambda p: ["redis-server", "--port", p.port, "--bind", "127.0.0.1", "--save", "", "--dir", p.folder], None, redis),
    Case("redis-server", "redis-server", "data base, four I/O threads that spin",
         lambda p: ["redis-server", "--port", p.port, "--bind", "127.0.0.1", "--save", "", "--dir", p.folder, "--io-threads", "4",
                    "--io-threads-do-reads", "yes"], None, redis),
    Case(f"{POSTGRES}/postgres", "postgresql", "data base, a process a connection; `pgbench` with two threads",
         lambda p: [*AS_POSTGRES, f"{POSTGRES}/postgres", "-D", p / "data", "-k", "", "-h", "127.0.0.1", "-p", p.port], postgres_files, pgbench),
    Case("unbound", "unbound", "DNS server, two threads with an event loop each", lambda p: ["unbound", "-c", p / "conf", "-d"],
         unbound_files, questions),
    Case("dnsmasq", "dnsmasq-base", "DNS server, a poll, a process a TCP connection",
         lambda p: ["dnsmasq", "-k", "-C", "/dev/null", "-p", p.port, "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts",
                    "--address=/a.test/10.0.0.1", "-u", "root", "--pid-file="], None, questions),
    Case("mosquitto", "mosquitto mosquitto-clients", "message broker, with its clients", lambda p: ["mosquitto", "-p", p.port], None, mosquitto),
    Case("iperf3", "iperf3", "network test", lambda p: ["iperf3", "-s", "-B", "127.0.0.1", "-p", p.port], None, iperf3),
    Case("transmission-daemon", "transmission-daemon", "torrent client, threads with a libevent each",
         lambda p: ["transmission-daemon", "-f", "-g", p.folder], transmission_files,
         lambda p: together(lambda i: len(get(p.port, path="/transmission/web/index.html")))),
    Case("php-fpm8.2", "php8.2-fpm", "FastCGI server, processes", lambda p: ["php-fpm8.2", "-n", "-F", "-y", p / "conf"], php_files, fastcgi),
    Case("ruby", "ruby-webrick", "WEBrick, a thread a connection", webrick_command, page_file, pages),
    Case("puma", "puma", "Ruby's server, a pool of threads",
         lambda p: ["puma", "-q", "-b", f"tcp://127.0.0.1:{p.port}", "-t", "4:4", p / "config.ru"], puma_files, pages),
]

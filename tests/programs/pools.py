"""Servers with threads of several kinds at once: pools, one for each connection, some that compute, and what runtimes add of their own."""
import contextlib
import subprocess
import time

from case import HERE, Case, connect, page_server, together
from proxies import certificate, http2_load
from servers import page_file, pages


def java_files(place):
    subprocess.run(["javac", "-d", place.folder, HERE / "Threads.java"], check=True, capture_output=True)


ERLANG = """
{ok, L} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 100}, {ip, {127, 0, 0, 1}}]),
{ok, Port} = inet:port(L),
Serve = fun Serve(C) -> case gen_tcp:recv(C, 0) of {ok, B} -> gen_tcp:send(C, B), Serve(C); _ -> ok end end,
spawn(fun Accept() -> {ok, C} = gen_tcp:accept(L), spawn(fun() -> receive go -> Serve(C) end end) ! go, Accept() end),
Self = self(),
Ask = fun() ->
    {ok, C} = gen_tcp:connect("127.0.0.1", Port, [binary, {active, false}]),
    Self ! length([ok || _ <- lists:seq(1, 20), gen_tcp:send(C, "hello") == ok, gen_tcp:recv(C, 5) == {ok, <<"hello">>}])
end,
[spawn(Ask) || _ <- lists:seq(1, 50)],
io:format("echoed ~p~n", [lists:sum([receive N -> N end || _ <- lists:seq(1, 50)])]),
Sum = fun(N) -> spawn(fun() -> Self ! lists:sum(lists:seq(1, N)) end) end,
[Sum(100000) || _ <- lists:seq(1, 20)],
io:format("sum ~p~n~s", [lists:sum([receive N -> N end || _ <- lists:seq(1, 20)]), os:cmd("echo child")]),
halt(0).
"""


VCL = """
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "%d"; }
"""


def varnish_files(place):
    (place / "vcl").write_text(VCL % place.other)
    return page_server(place)


def slapd_files(place):
    (place / "db").mkdir()
    (place / "conf").write_text(f"""include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {place / 'pid'}
threads 8
database mdb
suffix "o=x"
rootdn "cn=root,o=x"
rootpw secret
directory {place / 'db'}
""")


def directory(place):
    """Each adds an entry and finds it."""
    root = ["-x", "-H", f"ldap://127.0.0.1:{place.port}", "-D", "cn=root,o=x", "-w", "secret"]
    place.client("ldapadd", *root, given=b"dn: o=x\nobjectClass: organization\no: x\n")

    def one(i):
        place.client("ldapadd", *root, given=f"dn: ou=u{i},o=x\nobjectClass: organizationalUnit\nou: u{i}\n".encode())
        return place.client("ldapsearch", *root, "-LLL", "-b", "o=x", f"(ou=u{i})")
    return together(one, 8)


ZONE = """$TTL 60
@ SOA a.x. b.x. 1 60 60 60 60
@ NS a.x.
a A 127.0.0.1
w TXT "hello"
"""


def knot_files(place):
    (place / "x.zone").write_text(ZONE)
    (place / "conf").write_text(f"""server:
  rundir: "{place.folder}"
  listen: 127.0.0.1@{place.port}
  udp-workers: 2
  tcp-workers: 2
  background-workers: 2
database:
  storage: "{place.folder}"
zone:
- domain: x
  storage: "{place.folder}"
  file: x.zone
""")


def named_files(place):
    (place / "x.zone").write_text(ZONE)
    (place / "conf").write_text(f"""options {{ directory "{place.folder}"; listen-on port {place.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
recursion no; pid-file none; session-keyfile "{place / 'key'}"; }};
controls {{ }};
zone "x" {{ type master; file "x.zone"; }};
""")


def names(place):
    def one(i):
        ask = ["dig", "@127.0.0.1", "-p", place.port, "+short", "+tries=3"]
        return place.client(*ask, *(["+tcp"] if i % 2 else []), "w.x", "TXT"), place.client(*ask, "a.x")
    return together(one, 8)


WSGI = """
def application(env, start):
    body = open("page", "rb").read() if env["PATH_INFO"] == "/page" else b"no"
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def uwsgi_files(place):
    page_file(place)
    (place / "app.py").write_text(WSGI)


def h2o_files(place):
    page_file(place)
    (place / "conf").write_text(f"""num-threads: 4
hosts:
  x:
    listen: {{host: 127.0.0.1, port: {place.port}}}
    paths:
      /:
        file.dir: {place.folder}
""")


def disk_file(place):
    (place / "disk").write_bytes(bytes(range(256)) * 4096)


def disk(place):
    """Each reads the whole image over connections of its own."""
    uri = f"nbd://127.0.0.1:{place.port}"
    return together(lambda i: place.client("nbdcopy", uri, place / f"copy{i}") + ((place / f"copy{i}").read_bytes(),), 6)


def jobs(place):
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            worker = subprocess.Popen(["gearman", "-w", "-h", "127.0.0.1", "-p", str(place.port), "-f", "up", "--", "tr", "a-z", "A-Z"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=place.environment)
            stack.callback(worker.wait)
            stack.callback(worker.kill)
        return together(lambda i: place.client("gearman", "-h", "127.0.0.1", "-p", place.port, "-f", "up", f"hello {i}"), 8)


def clamd_files(place):
    (place / "x.ndb").write_text("Test.One:0:*:68656c6c6f776f726c64\n")
    (place / "conf").write_text(f"""TCPSocket {place.port}
TCPAddr 127.0.0.1
DatabaseDirectory {place.folder}
Foreground yes
MaxThreads 8
SelfCheck 0
""")


def scans(place):
    words = b"zINSTREAM\0"

    def one(i):
        text = b"helloworld" if i % 2 else b"nothing"
        with connect(place.port) as s:
            s.sendall(words + len(text).to_bytes(4, "big") + text + bytes(4))
            return s.recv(1000)
    return together(one)


def subversion_files(place):
    subprocess.run(["svnadmin", "create", place / "repository"], check=True)
    (place / "repository/conf/svnserve.conf").write_text("[general]\nanon-access = write\n")


def revisions(place):
    """Each brings in a folder of its own and gets it out again."""
    def one(i):
        url = f"svn://127.0.0.1:{place.port}/repository/{i}"
        (place / f"in{i}").mkdir()
        (place / f"in{i}" / "a").write_bytes(b"hello %d\n" % i * 1000)
        svn = ["svn", "--non-interactive", "--config-dir", place / f"config{i}", "-q"]
        return (place.client(*svn, "import", "-m", "x", place / f"in{i}", url)[0], place.client(*svn, "checkout", url, place / f"out{i}"),
                (place / f"out{i}" / "a").read_bytes())
    return together(one, 6)


def http2_files(place):
    certificate(place)
    page_file(place)


def syslog_files(place):
    (place / "conf").write_text(f"""@version: 3.38
options {{ threaded(yes); flush-lines(1); stats-freq(0); }};
source s {{ network(ip("127.0.0.1") port({place.port}) transport("tcp") flags(no-parse) max-connections(100)); }};
destination d {{ file("{place / 'got'}" template("$MSG\\n")); }};
log {{ source(s); destination(d); }};
""")


def messages(place):
    def one(i):
        with connect(place.port) as s:
            for n in range(50):
                s.sendall(b"line %d of %d\n" % (n, i))
    together(one)
    deadline = time.monotonic() + 20
    while not (place / "got").exists() or (place / "got").read_bytes().count(b"\n") < 1000:
        if time.monotonic() > deadline:
            raise ValueError("lines are missing")
        time.sleep(0.05)
    return sorted((place / "got").read_bytes().splitlines())


def relays(place):
    """Through channels over UDP, and over TCP; and what address one has."""
    load = ["turnutils_uclient", "-u", "a", "-w", "b", "-y", "-c", "-n", "20", "-m", "4", "-p", place.port]
    return [place.client(*load, "127.0.0.1")[0], place.client(*load, "-T", "-t", "127.0.0.1")[0],
            place.client("turnutils_stunclient", "-p", place.port, "127.0.0.1")[0]]


def powerdns_files(place):
    (place / "x.zone").write_text(ZONE)
    (place / "zones").write_text(f'zone "x" {{ type master; file "{place / "x.zone"}"; }};\n')
    (place / "pdns.conf").write_text(f"""launch=bind
bind-config={place / 'zones'}
local-address=127.0.0.1
local-port={place.port}
receiver-threads=3
distributor-threads=4
socket-dir={place.folder}
disable-syslog=yes
guardian=no
daemon=no
""")


def recursor_files(place):
    (place / "x.zone").write_text(ZONE)
    (place / "recursor.conf").write_text(f"""local-address=127.0.0.1
local-port={place.port}
threads=4
socket-dir={place.folder}
daemon=no
hint-file=no
auth-zones=x={place / 'x.zone'}
disable-syslog=yes
quiet=yes
security-poll-suffix=
dnssec=off
""")


CASES = [
    Case("java", "openjdk-17-jdk-headless", "virtual machine: threads that compile, collect, serve and compute",
         lambda p: ["java", "-cp", p.folder, "Threads"], java_files),
    Case("erl", "erlang-base", "virtual machine: compiled code on stacks of its own, a scheduler a core, threads for files",
         lambda p: ["erl", "-noshell", "-eval", ERLANG]),
    Case("varnishd", "varnish", "HTTP cache, pools of a hundred threads",
         lambda p: ["varnishd", "-F", "-a", f"127.0.0.1:{p.port}", "-f", p / "vcl", "-n", p / "n", "-s", "malloc,10m"],
         varnish_files, pages),
    Case("slapd", "slapd ldap-utils", "directory, a pool of threads",
         lambda p: ["slapd", "-d", "0", "-f", p / "conf", "-h", f"ldap://127.0.0.1:{p.port}"], slapd_files, directory),
    Case("knotd", "knot bind9-dnsutils", "DNS server, threads with an epoll or a recvmmsg each", lambda p: ["knotd", "-c", p / "conf"], knot_files,
         names),
    Case("named", "bind9 bind9-dnsutils", "DNS server, two threads with an event loop each, and others that work",
         lambda p: ["named", "-f", "-n", "2", "-c", p / "conf"], named_files, names),
    Case("uwsgi", "uwsgi-core uwsgi-plugin-python3", "CPython inside a server, eight threads",
         lambda p: ["uwsgi", "--plugin", "python3", "--http-socket", f"127.0.0.1:{p.port}", "--threads", "8", "--wsgi-file", p / "app.py",
                    "--die-on-term"],
         uwsgi_files, pages),
    Case("h2o", "h2o", "HTTP server, four threads with an event loop each", lambda p: ["h2o", "-c", p / "conf"], h2o_files, pages),
    Case("nbdkit", "nbdkit libnbd-bin", "disk images over a network, sixteen threads a connection",
         lambda p: ["nbdkit", "-f", "-i", "127.0.0.1", "-p", p.port, "file", p / "disk"], disk_file, disk),
    Case("gearmand", "gearman-job-server gearman-tools", "job server, four threads with a libevent each",
         lambda p: ["gearmand", "-L", "127.0.0.1", "-p", p.port, "-t", "4", "-l", "stderr"], None, jobs),
    Case("clamd", "clamav-daemon", "virus scanner, a pool of threads", lambda p: ["clamd", "-c", p / "conf"], clamd_files, scans),
    Case("svnserve", "subversion", "version control, a thread a connection",
         lambda p: ["svnserve", "-d", "-T", "--foreground", "--listen-host", "127.0.0.1", "--listen-port", p.port, "-r", p.folder],
         subversion_files, revisions),
    Case("nghttpd", "nghttp2-server nghttp2-client openssl", "HTTP/2 server, four threads with an epoll each",
         lambda p: ["nghttpd", "-n4", "-d", p.folder, "-a", "127.0.0.1", p.port, p / "key", p / "cert"], http2_files, http2_load),
    Case("syslog-ng", "syslog-ng-core", "collects logs, threads with an event loop each",
         lambda p: ["syslog-ng", "-F", "-f", p / "conf", "--no-caps", "-R", p / "persist", "-p", p / "pid", "-c", p / "control"], syslog_files,
         messages),
    Case("turnserver", "coturn", "relays UDP and TCP, four threads with a libevent each",
         lambda p: ["turnserver", "-n", "-L", "127.0.0.1", "-p", p.port, "-a", "-u", "a:b", "-r", "r", "--no-cli", "--no-tls", "--no-dtls", "-m", "4",
                    "--log-file", "stdout", "--allow-loopback-peers", "--pidfile", p / "pid", "--db", p / "db"], None, relays),
    Case("pdns_server", "pdns-server pdns-backend-bind bind9-dnsutils", "DNS server, threads that receive and others that look up",
         lambda p: ["pdns_server", f"--config-dir={p.folder}"], powerdns_files, names),
    Case("pdns_recursor", "pdns-recursor bind9-dnsutils", "DNS resolver, four threads with coroutines of its own",
         lambda p: ["pdns_recursor", f"--config-dir={p.folder}"], recursor_files, names),
    Case("rclone", "rclone", "HTTP server, Go's threads", lambda p: ["rclone", "serve", "http", "--addr", f"127.0.0.1:{p.port}", p.folder], page_file,
         pages, threads=100, because="Go waits past libc: its threads are real ones"),
]

"""Servers with threads of several kinds at once: pools, one for each connection, some that compute, and what runtimes add of their own."""
import contextlib
import subprocess

from case import HERE, Case, connect, page_server, together
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
]

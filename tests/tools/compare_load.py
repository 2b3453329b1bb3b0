#!/usr/bin/env python3
"""A load for the test of gev compare: compare_load.py PORT CONNECTIONS: so many connections at once, half a second of bytes on each, all
answers right. Prints in the end what wrk prints.
"""
import socket
import sys
import time

port, n = int(sys.argv[1]), int(sys.argv[2])
connections = [socket.create_connection(("127.0.0.1", port), timeout=100) for _ in range(n)]
end = time.monotonic() + 0.5
while time.monotonic() < end:
    for connection in connections:
        connection.sendall(b"a")
    for connection in connections:
        assert connection.recv(1) == b"A"
print("""  Thread Stats   Avg      Stdev     Max   +/- Stdev
  Latency Distribution
     50%    1.50ms
     75%    2.00ms
     99%   12.25ms""")
print(f"  {2 * n} requests in 0.10s, 1.00KB read")
print(f"Requests/sec:   {20 * n}.00")

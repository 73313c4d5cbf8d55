#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""virtio-peer.py - what is at the host's end of the ports and of the network in virtio.sh.

Usage: virtio-peer.py DIRECTORY
Listens at DIRECTORY/port.sock and DIRECTORY/hvc.sock: each line comes back in capitals. Serves DIRECTORY/www by HTTP at a free
port; /back?PORT there connects to that port of this host, sends a line and answers with the line that it gets; /vsock?PORT says whether that port of the guest,
reached through the socket device at DIRECTORY/vsock, sends back what it gets; DIRECTORY/vsock_1234 is like the ports. When all is ready
the port's number is in DIRECTORY/http-port. Ends with its standard input.
"""
import http.server
import os
import socket
import sys
import threading

top = sys.argv[1]


def serve_lines(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4)

    def run():
        while True:
            connection = listener.accept()[0]
            threading.Thread(target=echo, args=(connection,), daemon=True).start()

    def echo(connection):
        with connection:
            for line in connection.makefile("rb"):
                connection.sendall(line.strip().upper() + b"\n")

    threading.Thread(target=run, daemon=True).start()


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/vsock?"):
            line = self.over_vsock(int(self.path[7:]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(line)
            return
        if not self.path.startswith("/back?"):
            return super().do_GET()
        line = b""
        # until somebody listens in the guest
        while not line:
            try:
                with socket.create_connection(("127.0.0.1", int(self.path[6:])), timeout=60) as connection:
                    connection.sendall(b"hello from the host\n")
                    line = connection.makefile("rb").readline()
            except ConnectionResetError:
                pass
        self.send_response(200)
        self.end_headers()
        self.wfile.write(line)

    @staticmethod
    def over_vsock(port):
        """What the guest's port sends back: the same, if all is well."""
        data = os.urandom(2000000)
        while True:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(os.path.join(top, "vsock"))
                connection.sendall(b"CONNECT %d\n" % port)
                stream = connection.makefile("rb")
                if not stream.readline().startswith(b"OK "):
                    continue    # nobody listens yet
                sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
                sender.start()
                back = stream.read()
                sender.join()
                return b"same\n" if back == data else b"%d bytes came back\n" % len(back)

    def log_message(self, *args):
        pass


serve_lines(os.path.join(top, "port.sock"))
serve_lines(os.path.join(top, "hvc.sock"))
serve_lines(os.path.join(top, "vsock_1234"))
os.chdir(os.path.join(top, "www"))
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(top, "http-port.new"), "w") as f:
    f.write(str(server.server_port))
os.rename(os.path.join(top, "http-port.new"), os.path.join(top, "http-port"))
sys.stdin.read()

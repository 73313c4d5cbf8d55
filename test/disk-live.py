#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""disk-live.py - the host's part of disk-live.sh: moves the machine to other processes while its disks and network are busy, and plugs an
NVMe controller in and out, when the guest says so. The guest's lines go to standard output.

Usage: disk-live.py DIRECTORY QUERN ARGUMENT...
"""
import atexit
import json
import os
import socket
import subprocess
import sys
import time

directory, command = sys.argv[1], sys.argv[2:]
path = os.path.join(directory, "qmp")


class Machine:
    def __init__(self, *extra):
        ours = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        ours.bind(path)
        ours.listen()
        self.child = subprocess.Popen(command + ["-qmp", f"unix:{path}", *extra], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, errors="replace")
        atexit.register(self.child.kill)
        ours.settimeout(30)
        peer = ours.accept()[0]
        # two files: writing to one for both drops what it has read ahead
        self.qmp, self.to = peer.makefile("r"), peer.makefile("w")
        self.qmp.readline()
        self.run("qmp_capabilities")

    def answer(self, wanted):
        for line in self.qmp:
            message = json.loads(line)
            if wanted(message):
                return message
        sys.exit(f"disk-live: the machine ended: {self.child.stdout.read()[-300:]}")

    def run(self, name, **arguments):
        try:
            self.to.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            self.to.flush()
        except BrokenPipeError:
            pass  # the answer will not come
        message = self.answer(lambda m: "return" in m or "error" in m)
        if "error" in message:
            sys.exit(f"disk-live: {name}: {message['error']['desc']}")
        return message["return"]

    def busy(self, every):
        stats = [d["stats"] for d in self.run("query-blockstats") if d["device"] in ("d", "e", "f")]
        return (all if every else any)(s["rd_operations"] + s["wr_operations"] > 600 for s in stats)


m = Machine()
hops = [f"unix:{directory}/hop", f"file:{directory}/state"]
for line in m.child.stdout:
    print(line, end="", flush=True)
    if line.startswith("@load"):
        break
# over a socket to one that waits, and as a file
for uri in hops:
    # at the second hop the fastest disk may have finished
    while not m.busy(uri == hops[0]):
        time.sleep(0.02)
    old = m
    if not uri.startswith("file:"):
        m = Machine("-incoming", uri)
    old.run("migrate", uri=uri)
    while old.run("query-migrate").get("status") not in ("completed", "failed"):
        time.sleep(0.02)
    old.run("quit")
    old.child.wait()
    if uri.startswith("file:"):
        m = Machine("-incoming", uri)
    while (status := m.run("query-migrate").get("status")) in ("setup", "active"):
        time.sleep(0.02)
    print(f"@{'ok' if status == 'completed' and m.run('query-status')['status'] == 'running' else 'FAIL'} hop-{uri.split(':')[0]}", flush=True)
for line in m.child.stdout:
    print(line, end="", flush=True)
    if line.startswith("@plug"):
        m.run("device_add", driver="nvme", id="hot", serial="hot", drive="h", bus="rp")
    elif line.startswith("@unplug"):
        m.run("device_del", id="hot")
        m.answer(lambda message: message.get("event") == "DEVICE_DELETED")
        print("@ok deleted")
for line in m.qmp:
    print(line, end="", flush=True)  # how it ended
sys.exit(m.child.wait())

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""disk-live.py - the host's part of disk-live.sh: saves the machine while its disks are busy, goes on in another process, and plugs an
NVMe controller in and out, when the guest says so. The guest's lines go to standard output.

Usage: disk-live.py DIRECTORY QUERN ARGUMENT...
"""
import json
import os
import socket
import subprocess
import sys

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
        ours.settimeout(30)
        self.qmp = ours.accept()[0].makefile("rw")
        self.qmp.readline()
        self.run("qmp_capabilities")

    def answer(self, wanted):
        for line in self.qmp:
            message = json.loads(line)
            if wanted(message):
                return message
        sys.exit("disk-live: the machine ended")

    def run(self, name, **arguments):
        self.qmp.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.qmp.flush()
        message = self.answer(lambda m: "return" in m or "error" in m)
        if "error" in message:
            sys.exit(f"disk-live: {name}: {message['error']['desc']}")
        return message["return"]

    def busy(self):
        stats = [d["stats"] for d in self.run("query-blockstats") if d["device"] in ("d", "e")]
        return all(s["rd_operations"] + s["wr_operations"] > 2000 for s in stats)


m = Machine()
state = os.path.join(directory, "state")
for line in m.child.stdout:
    print(line, end="", flush=True)
    if line.startswith("@load"):
        break
while not m.busy():
    pass
m.run("stop")
m.run("migrate", uri="file:" + state)
while m.run("query-migrate").get("status") not in ("completed", "failed"):
    pass
m.run("quit")
m.child.wait()
m = Machine("-incoming", "file:" + state)
if m.run("query-status")["status"] != "running":
    m.run("cont")
for line in m.child.stdout:
    print(line, end="", flush=True)
    if line.startswith("@plug"):
        m.run("device_add", driver="nvme", id="hot", serial="hot", drive="h", bus="rp")
    elif line.startswith("@unplug"):
        m.run("device_del", id="hot")
        m.answer(lambda message: message.get("event") == "DEVICE_DELETED")
        print("@ok deleted")
sys.exit(m.child.wait())

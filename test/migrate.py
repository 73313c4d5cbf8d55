#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""migrate.py - migration as QMP clients see it: states, events, errors, cancelling, images that only one of two processes may
use, and snapshots with the temporary layers of disks. Prints verdicts.

Usage: migrate.py DIRECTORY QUERN KERNEL INITRD
"""
import atexit
import gzip
import json
import os
import re
import socket
import subprocess
import sys
import time

directory, quern, kernel, initrd = sys.argv[1:5]
os.chdir(directory)
count = 0


def verdict(name, good, why=""):
    print(f"ok {name}" if good else f"FAIL {name}: {why}", flush=True)


class Machine:
    def __init__(self, *extra, machine="microvm"):
        global count
        count += 1
        path = f"qmp{count}"
        ours = socket.socket(socket.AF_UNIX)
        ours.bind(path)
        ours.listen()
        self.child = subprocess.Popen(
            [quern, "-M", machine, "-m", "192", "-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 quiet", "-display", "none",
             "-serial", "stdio", "-no-reboot", "-qmp", f"unix:{path}", *extra],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        atexit.register(self.child.kill)
        ours.settimeout(30)
        peer = ours.accept()[0]
        # two files: writing to one for both drops what it has read ahead
        self.qmp, self.to = peer.makefile("r"), peer.makefile("w")
        self.qmp.readline()
        self.events, self.seen = [], b""
        self.run("qmp_capabilities")

    def message(self):
        line = self.qmp.readline()
        if not line:
            sys.exit(f"migrate.py: the machine ended: {self.child.stdout.read()[-300:]}")
        message = json.loads(line)
        if "event" in message:
            self.events.append(message)
        return message

    def raw(self, name, **arguments):
        self.to.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.to.flush()
        while True:
            message = self.message()
            if "return" in message or "error" in message:
                return message

    def run(self, name, **arguments):
        answer = self.raw(name, **arguments)
        if "error" in answer:
            sys.exit(f"migrate.py: {name}: {answer['error']['desc']}")
        return answer["return"]

    def refused(self, name, **arguments):
        return self.raw(name, **arguments).get("error", {}).get("desc", "")

    def hmp(self, line):
        return self.run("human-monitor-command", **{"command-line": line})

    def status(self):
        return self.run("query-status")["status"]

    def ends(self, *states):
        while (got := self.run("query-migrate").get("status")) not in states:
            if got in ("completed", "failed", "cancelled"):
                return False
            time.sleep(0.01)
        return True

    def until(self, pattern):
        while not (m := re.search(pattern, self.seen)):
            got = os.read(self.child.stdout.fileno(), 65536)
            if not got:
                sys.exit(f"migrate.py: ended, waiting for {pattern}: {self.seen[-500:]}")
            self.seen += got
        self.seen = self.seen[m.end():]
        return m

    def say(self, text):
        self.child.stdin.write(text.encode() + b"\r")
        self.child.stdin.flush()

    def states(self):
        return [e["data"]["status"] for e in self.events if e["event"] == "MIGRATION"]

    def quit(self):
        self.run("quit")
        self.child.wait(30)


with open("disk", "wb") as f:
    f.truncate(1 << 20)
disk = ["-drive", "file=disk,format=raw,if=none,id=d", "-device", "virtio-blk-device,drive=d"]

# Nobody is there, somebody does not listen, and in the end it is called off.
a = Machine(*disk)
a.until(rb"\[quern\]# ")
a.run("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
a.run("migrate", uri="unix:nobody")
verdict("nobody", a.ends("failed") and "cannot connect" in a.run("query-migrate")["error-desc"] and a.status() == "running")
mute = socket.socket(socket.AF_UNIX)
mute.bind("mute")
mute.listen()
a.run("migrate", uri="unix:mute")
a.ends("active")
progress = a.run("query-migrate")["ram"]
verdict("active", a.status() == "finish-migrate" and progress["total"] >= 192 << 20 and progress["remaining"] > 0, progress)
verdict("frozen", "is being migrated" in a.refused("cont") and "progress" in a.refused("migrate", uri="file:x") + " progress"
        and "is being migrated" in a.refused("device_del", id="x"))
a.run("migrate_cancel")
verdict("cancelled", a.ends("cancelled") and a.status() == "running")
a.say("echo still-$((40+2))")
a.until(rb"still-42")
verdict("states", a.states() == ["setup", "failed", "setup", "active", "cancelling", "cancelled"], a.states())
verdict("capability", "'xbzrle' is not built" in a.refused("migrate-set-capabilities", capabilities=[{"capability": "xbzrle", "state": True}]))
a.run("migrate-set-parameters", **{"downtime-limit": 300})
verdict("parameters", a.run("query-migrate-parameters")["downtime-limit"] == 300
        and "xbzrle-cache-size" in a.refused("migrate-set-parameters", **{"xbzrle-cache-size": 4096}))

# To another process over TCP: the images go with the machine, and are its alone.
b = Machine(*disk, "-incoming", "defer")
verdict("deferred", b.status() == "inmigrate" and "Guest is waiting" in b.refused("migrate", uri="file:x"))
b.run("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
b.run("migrate-incoming", uri=f"tcp:127.0.0.1:{port}")
verdict("once", "already been started" in b.refused("migrate-incoming", uri="tcp:127.0.0.1:1"))
a.say("x=kept; echo wr\"ote\"")
a.until(rb"wrote")
a.run("migrate", uri=f"tcp:127.0.0.1:{port}")
verdict("tcp", a.ends("completed") and b.ends("completed") and a.status() == "postmigrate" and b.status() == "running")
verdict("incoming-states", b.states() == ["setup", "active", "completed"], b.states())
b.say("echo x-$x")
b.until(rb"x-kept")
verdict("image-is-theirs", "another process" in a.refused("cont") and a.status() == "postmigrate")
b.quit()
a.run("cont")
a.say("echo x-$x")
a.until(rb"x-kept")
verdict("image-comes-back", a.status() == "running")

# A file, with something in front of it; the image must be as it was.
with open("file", "w") as f:
    f.write("x" * 5000)
a.run("migrate", uri="file:file,offset=4096")
verdict("file-offset", a.ends("completed") and open("file", "rb").read(4097) == b"x" * 4096 + b"Q")
a.quit()
c = Machine(*disk, "-incoming", "file:file,offset=4096")
c.ends("completed")
c.say("echo x-$x")
c.until(rb"x-kept")
c.quit()
os.utime("disk")
p = subprocess.run([quern, "-M", "microvm", "-m", "192", "-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 quiet",
                    "-display", "none", "-serial", "stdio", "-qmp", "none", *disk, "-incoming", "file:file,offset=4096"],
                   capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=60)
verdict("changed-image", p.returncode == 1 and "was written to since" in p.stderr, p.stderr)

# The stream through a program; a guest that stands still stays so.
a = Machine("-S")
a.run("migrate", uri="exec:gzip -1 > gz")
verdict("exec", a.ends("completed"))
a.quit()
b = Machine("-incoming", "exec:gunzip < gz")
verdict("paused", b.ends("completed") and b.status() == "paused", b.status())
b.quit()

# Garbage, and half of a stream.
for name, data in ("garbage", b"GET / HTTP/1.0\r\n\r\n"), ("half", gzip.open("gz").read()[:300000]):
    b = Machine("-incoming", "unix:in")
    s = socket.socket(socket.AF_UNIX)
    s.connect("in")
    try:
        s.sendall(data)
    except BrokenPipeError:
        pass  # it has seen enough
    s.close()
    out = b.child.communicate(timeout=30)[0].decode()
    verdict(name, b.child.returncode == 1 and out.count("\n") == 1 and ("no snapshot" in out or "too soon" in out), out)

# What the guest wrote into a temporary layer goes back in time with it.
with open("layer", "wb") as f:
    f.write(b"0" * (1 << 20))
layer = ["-drive", "file=layer,format=raw,if=none,id=l,snapshot=on", "-device", "virtio-blk-device,drive=l"]
a = Machine(*layer)
a.until(rb"\[quern\]# ")
a.say("mknod /tmp/d b $(sed 's/:/ /' /sys/block/vda/dev); echo first | dd of=/tmp/d seek=7 conv=notrunc,fsync 2>/dev/null; echo o\"ne\"")
a.until(rb"one\r")
verdict("savevm", a.hmp("savevm snap") == "" and "snap" in a.hmp("info snapshots"))
a.say("echo second | dd of=/tmp/d seek=7 conv=fsync 2>/dev/null; echo more | dd of=/tmp/d seek=9 conv=fsync 2>/dev/null; echo t\"wo\"")
a.until(rb"two\r")
read = "echo 3 > /proc/sys/vm/drop_caches; for i in 7 9; do dd if=/tmp/d skip=$i count=1 2>/dev/null | head -c 5; done; echo r\"ead\""
a.say(read)
verdict("layer-now", b"seconmore" in a.until(rb"(?s)(.*)read\r").group(1).replace(b"\n", b"").replace(b"\r", b""))
verdict("loadvm", a.hmp("loadvm snap") == "")
a.say(read)
verdict("layer-then", re.search(rb"first0{5}", a.until(rb"(?s)(.*)read\r").group(1).replace(b"\n", b"").replace(b"\r", b"")))
a.quit()
a = Machine(*layer, "-loadvm", "snap")
a.ends("completed")
a.say(read)
verdict("layer-elsewhere", re.search(rb"first0{5}", a.until(rb"(?s)(.*)read\r").group(1).replace(b"\n", b"").replace(b"\r", b"")))
verdict("delvm", "no snapshot" in a.hmp("delvm layer") and os.path.exists("layer") and a.hmp("delvm snap") == "" and not os.path.exists("snap")
        and "There is no snapshot" in a.hmp("info snapshots"))
a.quit()
verdict("layer-image", open("layer", "rb").read() == b"0" * (1 << 20))

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""monitor.py - drives monitors of real processes over sockets, pipes and terminals, and compares the shapes of answers with a
real QEMU where one is installed.

Usage: monitor.py QUERN DIRECTORY [KERNEL INITRD]; DIRECTORY has halt.bin. Prints ok, FAIL and skip lines.
"""
import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

LIMIT = 60
quern, work = sys.argv[1:3]
failed = False


def report(name, problem=None):
    global failed
    failed |= bool(problem)
    print(f"FAIL {name}: {problem}" if problem else f"ok {name}", flush=True)


class Wrong(Exception):
    pass


def expect(got, want, what):
    if got != want:
        raise Wrong(f"{what} is {got!r}, not {want!r}")


def find(pattern, text, what="the answer"):
    found = re.search(pattern, text)
    if not found:
        raise Wrong(f"{what} has no {pattern!r}: {text[:400]!r}")
    return found


def connect(path):
    end = time.time() + LIMIT
    while True:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(LIMIT)
        try:
            s.connect(path)
            return s
        except OSError:
            s.close()
            if time.time() > end:
                raise Wrong(f"nobody listens at {path}") from None
            time.sleep(0.02)


class Qmp:
    def __init__(self, path, negotiate=True):
        self.s = connect(path)
        self.buffer = ""
        self.events = []
        self.greeting = self.message()
        if negotiate:
            expect(self.command("qmp_capabilities"), {}, "qmp_capabilities")

    def message(self):
        decoder = json.JSONDecoder()
        while True:
            text = self.buffer.lstrip()
            try:
                value, end = decoder.raw_decode(text)
                self.buffer = text[end:]
                return value
            except json.JSONDecodeError:
                more = self.s.recv(65536)
                if not more:
                    raise Wrong("the monitor has closed the connection") from None
                self.buffer += more.decode()

    def send(self, text):
        self.s.sendall(text.encode())

    def answer(self):
        while True:
            m = self.message()
            if "event" not in m:
                return m
            self.events.append(m)

    def raw(self, text):
        self.send(text)
        return self.answer()

    def command(self, name, /, **arguments):
        m = self.raw(json.dumps({"execute": name, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}))
        if "return" not in m:
            raise Wrong(f"{name}: {m}")
        return m["return"]

    def error(self, name, /, **arguments):
        m = self.raw(json.dumps({"execute": name, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}))
        if "error" not in m:
            raise Wrong(f"{name} is no error: {m}")
        return m["error"]["class"], m["error"]["desc"]

    def human(self, line):
        return self.command("human-monitor-command", command_line=line).replace("\r\n", "\n")

    def event(self, name):
        while True:
            for i, e in enumerate(self.events):
                if e["event"] == name:
                    del self.events[: i + 1]
                    return e
            m = self.message()
            if "event" in m:
                self.events.append(m)


class Hmp:
    def __init__(self, path):
        self.s = connect(path)
        self.buffer = b""
        self.greeting = self.until(b"(qemu) ")

    def until(self, mark):
        while mark not in self.buffer:
            more = self.s.recv(65536)
            if not more:
                raise Wrong(f"the monitor ends before {mark!r}: {self.buffer!r}")
            self.buffer += more
        text, self.buffer = self.buffer.split(mark, 1)
        return re.sub(rb"\x1b\[[0-9;]*[A-Za-z]", b"", text).decode().replace("\r\n", "\n")

    def line(self, text):
        """What a line answers, its echo left out."""
        self.s.sendall(text.encode() + b"\n")
        answer = self.until(b"(qemu) ")
        return answer.split("\n", 1)[1]


class Machine:
    def __init__(self, name, *args, binary=None, bios=True, **popen):
        self.base = os.path.join(work, name)
        self.qmp_path, self.hmp_path = self.base + ".qmp", self.base + ".hmp"
        for p in (self.qmp_path, self.hmp_path):
            if os.path.exists(p):
                os.unlink(p)
        command = [binary or quern, "-display", "none", *args,
                   "-qmp", f"unix:{self.qmp_path},server=on,wait=off", "-monitor", f"unix:{self.hmp_path},server=on,wait=off"]
        if bios:
            command += ["-bios", os.path.join(work, "halt.bin")]
        self.p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=open(self.base + ".err", "w"), **popen)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()

    def ends(self, status=0):
        expect(self.p.wait(LIMIT), status, "the exit status")


# ---- without a kernel


def negotiation():
    with Machine("negotiation", "-S") as m:
        q = Qmp(m.qmp_path, negotiate=False)
        expect(q.greeting["QMP"]["capabilities"], ["oob"], "capabilities")
        expect(sorted(q.greeting["QMP"]["version"]["qemu"]), ["major", "micro", "minor"], "the version")
        expect(q.error("query-status"), ("CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'"), "early")
        expect(q.raw('{"execute":"qmp_capabilities","id":[7]}'), {"return": {}, "id": [7]}, "qmp_capabilities")
        expect(q.error("qmp_capabilities")[0], "CommandNotFound", "the second negotiation")
        expect(q.error("nosuch"), ("CommandNotFound", "The command nosuch has not been found"), "an unknown command")


def several_in_one_write():
    with Machine("one-write", "-S") as m:
        q = Qmp(m.qmp_path, negotiate=False)
        q.send('{ "execute": "qmp_capabilities" }{ "execute": "query-status","id":1}{"execute":"query-name", "id": 2} {"exe')
        expect([q.answer() for _ in range(3)][1:], [{"return": {"status": "prelaunch", "running": False}, "id": 1},
                                                   {"return": {}, "id": 2}], "the answers")
        q.send('cute":\n"query-uuid"\n,"id":{"a":[1,{}]}}')
        expect(q.answer()["id"], {"a": [1, {}]}, "id")
        expect(q.raw("{'execute': 'query-name', 'id': 'it\\'s'}")["id"], "it's", "id")


def mistakes():
    with Machine("mistakes", "-S") as m:
        q = Qmp(m.qmp_path)
        for text, want in (
            ("[1]", "QMP input must be a JSON object"),
            ('{"foo":1}', "QMP input member 'foo' is unexpected"),
            ("{}", "QMP input lacks member 'execute'"),
            ('{"execute":3}', "QMP input member 'execute' must be a string"),
            ('{"execute":"query-status","arguments":3}', "QMP input member 'arguments' must be an object"),
            ('{"execute":"memsave","arguments":{"val":0}}', "Parameter 'size' is missing"),
            ('{"execute":"memsave","arguments":{"val":0,"size":"1"}}', "Invalid parameter type for 'size', expected: integer"),
            ('{"execute":"query-status","arguments":{"x":0}}', "Parameter 'x' is unexpected"),
            ('{"execute" "x"}', "JSON parse error"),
            ("word ", "JSON parse error, invalid keyword 'word'"),
        ):
            e = q.raw(text)["error"]
            if e["class"] != "GenericError" or not e["desc"].startswith(want):
                raise Wrong(f"{text} gives {e}")
        expect(q.error("device_del", id="zz"), ("DeviceNotFound", "Device 'zz' not found"), "device_del")
        expect(q.command("query-status")["running"], False, "after all mistakes, running")


def run_states():
    with Machine("states", "-S", "-serial", "none") as m:
        q = Qmp(m.qmp_path)
        status = lambda: q.command("query-status")["status"]
        expect(status(), "prelaunch", "status")
        q.command("cont")
        q.event("RESUME")
        expect(status(), "running", "status")
        q.command("stop")
        stamp = q.event("STOP")["timestamp"]
        if abs(stamp["seconds"] - time.time()) > 60 or not 0 <= stamp["microseconds"] < 1000000:
            raise Wrong(f"the time stamp {stamp}")
        expect(status(), "paused", "status")
        expect(q.human("info status"), "VM status: paused\n", "info status")
        q.command("system_reset")
        expect(q.event("RESET")["data"], {"guest": False, "reason": "host-qmp-system-reset"}, "RESET")
        q.command("cont")
        q.command("system_powerdown")
        q.event("POWERDOWN")
        expect(q.error("system_wakeup")[1], "Unable to wake up: guest is not in suspended state", "system_wakeup")
        expect(q.raw('{"execute":"quit","id":"last"}'), {"return": {}, "id": "last"}, "quit")
        expect(q.event("SHUTDOWN")["data"], {"guest": False, "reason": "host-qmp-quit"}, "SHUTDOWN")
        m.ends()


def panic_and_reboot():
    with Machine("panic", "-device", "pvpanic", "-action", "panic=pause") as m:
        q = Qmp(m.qmp_path)
        q.human("o /b 0x505 1")
        expect(q.event("GUEST_PANICKED")["data"], {"action": "pause"}, "GUEST_PANICKED")
        expect(q.command("query-status"), {"status": "guest-panicked", "running": False}, "status")
        expect(q.human("info status"), "VM status: paused (guest-panicked)\n", "info status")
        q.command("set-action", panic="none")
        q.command("cont")
        q.human("o /b 0x505 1")
        expect(q.event("GUEST_PANICKED")["data"], {"action": "run"}, "GUEST_PANICKED")
        expect(q.error("set-action", reboot="maybe")[1], "Parameter 'reboot' does not accept value 'maybe'", "set-action")
        q.command("set-action", reboot="shutdown")
        q.command("system_reset")
        expect(q.event("SHUTDOWN")["data"], {"guest": False, "reason": "host-qmp-system-reset"}, "SHUTDOWN")
        m.ends()


def peers_that_go_at_once():
    """ktest's way to type a key, and kvm-unit-tests' to ask: write, and no more."""
    with Machine("at-once") as m:
        Qmp(m.qmp_path)
        s = connect(m.hmp_path)
        s.sendall(b"stop\n")
        s.close()
        s = connect(m.qmp_path)
        s.sendall(b'{ "execute": "qmp_capabilities" }{ "execute":"query-status"}')
        s.shutdown(socket.SHUT_WR)
        text = b""
        while more := s.recv(4096):
            text += more
        expect(text.count(b'"return"'), 2, "answers before the end")
        for _ in range(20):
            connect(m.qmp_path).close()
            connect(m.hmp_path).close()
        q = Qmp(m.qmp_path)
        while q.command("query-status")["running"]:
            time.sleep(0.01)


def a_peer_that_does_not_read():
    with Machine("slow", "-S") as m:
        slow, q = connect(m.qmp_path), Qmp(m.qmp_path)
        slow.sendall(b'{"execute":"qmp_capabilities"}')
        slow.settimeout(0.2)
        sent = 0
        try:
            while sent < 5000:
                slow.sendall(b'{"execute":"query-qmp-schema"}')
                sent += 1
        except TimeoutError:
            pass
        expect(q.command("query-status")["running"], False, "running")
        # what is delivered is whole
        slow.settimeout(LIMIT)
        text = b""
        while text.count(b"\r\n") < 50:
            text += slow.recv(1 << 20)
        for line in text.split(b"\r\n")[:50]:
            json.loads(line)


def several_sessions():
    with Machine("sessions") as m:
        a, b, h, i = Qmp(m.qmp_path), Qmp(m.qmp_path), Hmp(m.hmp_path), Hmp(m.hmp_path)
        late = Qmp(m.qmp_path, negotiate=False)
        expect(h.line("stop"), "", "stop")
        a.event("STOP")
        b.event("STOP")
        expect(i.line("info status"), "VM status: paused\n", "info status")
        b.s.close()
        expect(i.line("cont"), "", "cont")
        a.event("RESUME")
        late.command("qmp_capabilities")
        expect(late.events, [], "events before negotiation")
        expect(Qmp(m.qmp_path).command("query-status")["running"], True, "running")


def human():
    with Machine("human", "-S", "-name", "the name", "-uuid", "c0ffee00-0000-0000-0000-000000000001") as m:
        h = Hmp(m.hmp_path)
        find(r"^QEMU [0-9.]+ monitor .*type 'help' for more information", h.greeting)
        expect(h.line("info name"), "the name\n", "info name")
        expect(h.line("info uuid"), "c0ffee00-0000-0000-0000-000000000001\n", "info uuid")
        expect(h.line("nosuch 1"), "unknown command: 'nosuch'\n", "an unknown command")
        expect(h.line("info nosuch"), "unknown command: 'info nosuch'\n", "an unknown topic")
        expect(h.line("print/d (1+2)*3"), "9\n", "print")
        expect(h.line("p/x $eip"), "0xfff0\n", "$eip")
        find(r"stop\|s: extraneous characters", h.line("stop 1"))
        find(r"x /fmt addr", h.line("help x"))
        find(r"(?m)^info registers ", h.line("info"))
        # editing: left, insert; history; completion; erase the line
        h.s.sendall(b"info statu\x1b[D\x1b[D\x1b[Ct\x7f\x05s\n")
        find("VM status: paused", h.until(b"prelaunch)"))
        h.until(b"(qemu) ")
        h.s.sendall(b"\x1b[A\n")
        h.until(b"VM status")
        h.until(b"(qemu) ")
        h.s.sendall(b"info stat\t\n")
        h.until(b"VM status")
        h.until(b"(qemu) ")
        h.s.sendall(b"garbage\x15info uu\tx\x08\n")
        h.until(b"c0ffee00")
        h.until(b"(qemu) ")
        find("0: 'info name'", h.line("info history"))
        h.s.sendall(b"quit\n")
        m.ends()


def memory():
    with Machine("memory", "-S", "-m", "64") as m:
        q = Qmp(m.qmp_path)
        q.command("memory-write", addr=0x1000, physical=True, data="00112233445566778899aabbccddeeff")
        expect(q.command("memory-read", addr=0x1004, size=4, physical=True), {"encoding": "hex", "data": "44556677"}, "hex")
        expect(base64.b64decode(q.command("memory-read", addr=0x1000, size=5, physical=True, encoding="base64")["data"]),
               bytes.fromhex("0011223344"), "base64")
        expect(q.human("xp /4xw 0x1000"), "0000000000001000: 0x33221100 0x77665544 0xbbaa9988 0xffeeddcc\n", "xp /4xw")
        expect(q.human("xp /3xb 0x1000"), "0000000000001000: 0x00 0x11 0x22\n", "xp /3xb")
        expect(q.human("xp /2xg 0x1000"), "0000000000001000: 0x7766554433221100 0xffeeddccbbaa9988\n", "xp /2xg")
        expect(q.human("xp /2dh 0x100c"), "000000000000100c: -8756   -18\n", "xp /2dh")
        expect(q.human("x /1xw 0x1000"), "0000000000001000: 0x33221100\n", "x")
        expect(q.human("gva2gpa 0x1234"), "gpa: 0x1234\n", "gva2gpa")
        file = os.path.join(work, "mem.bin")
        q.command("pmemsave", val=0x1000, size=16, filename=file)
        expect(open(file, "rb").read(), bytes.fromhex("00112233445566778899aabbccddeeff"), "pmemsave")
        q.command("memory-read", addr=0x1001, size=3, file=file)
        expect(open(file, "rb").read(), bytes.fromhex("112233"), "memory-read into a file")
        q.command("memory-write", addr=0x2000, file=file)
        expect(q.command("memory-read", addr=0x2000, size=3)["data"], "112233", "memory-write from a file")
        expect(q.error("memory-read", addr=0x100000000000, size=4, physical=True)[0], "GenericError", "nowhere")
        expect(q.error("memory-write", addr=0, data="0")[1], "'data' is not hex", "bad hex")
        # beyond 63 bits, as a program counter of the kernel is
        expect(q.error("memory-read", addr=0xFFFFFFFF81000000, size=0x10000000)[0], "GenericError", "a large address")
        expect(q.human("o /b 0x80 0x5a") + q.human("i /b 0x80"), "portb[0x0080] = 0x5a\n", "a port")
        q.command("memsave", val=0x1000, size=4, filename=file, cpu_index=0)
        expect(open(file, "rb").read(), bytes.fromhex("00112233"), "memsave")
        expect(q.human("sum 0x1000 4"), f"{subprocess.run(['sum', '-r', file], capture_output=True, text=True).stdout[:5]}\n", "sum")


def devices():
    with Machine("devices", "-S", "-M", "q35", "-device", "crc,id=one") as m:
        q = Qmp(m.qmp_path)
        q.command("device_add", driver="crc", id="two", latency="7us")
        find(r"two.bar0:\n +000 id ", q.human("info regs two"))
        find(r'dev: crc, id "two"\n(.*\n)*? +latency = "7us"', q.human("info qtree"))
        regs = q.command("query-registers", id="one", register="id")
        expect(regs[0]["registers"][0]["name"], "id", "query-registers")
        expect(q.error("query-registers", id="one", register="zz")[1], "'one' has no register 'zz'", "no such register")
        expect(q.error("device_add", driver="crc", id="two")[1], "there is a device 'two' already", "twice")
        expect(q.error("device_add", driver="zz")[1], "'zz' is not a valid device model name", "no such device")
        find("nonsense", q.error("device_add", driver="crc", nonsense=1)[1])
        find("does not support hotplugging", q.error("device_del", id="two")[1])
        find(r'name "crc", bus pci', q.human("device_add help"))
        find(r"latency=<", q.human("device_add crc,help"))
        expect([p["name"] for p in q.command("device-list-properties", typename="crc")][0], "latency", "device-list-properties")
        q.command("object-add", qom_type="rng-builtin", id="r0")
        find("already", q.error("object-add", qom_type="rng-builtin", id="r0")[1])
        q.command("device_add", driver="virtio-rng-pci", id="rng", rng="r0")
        find("in use", q.error("object-del", id="r0")[1])
        q.command("object-add", qom_type="rng-builtin", id="r1")
        q.command("object-del", id="r1")
        find("units translated", q.human("info jit"))
        pci = q.command("query-pci")[0]["devices"]
        expect([d["qdev_id"] for d in pci if d["id"]["vendor"] == 0x1234], ["one", "two"], "query-pci")
        find(r"PCI device 1234:00c2\n", q.human("info pci"))
        q.command("fault-arm", point="one.stuck,times=2")
        expect(q.command("query-faults")[0]["times"], 2, "query-faults")
        q.command("fault-disarm", point="one.stuck")
        expect(q.command("query-faults"), [], "query-faults")
        expect(q.command("lint", mode="report"), {"mode": "report"}, "lint")
        q.command("trace-event-set-state", name="crc.finish", enable=True)
        expect(q.command("trace-event-get-state", name="crc.finish"), [{"name": "crc.finish", "vcpu": False, "state": "enabled"}],
               "trace-event-get-state")
        expect(q.error("trace-event-get-state", name="nosuch")[1], 'unknown event "nosuch"', "an unknown event")
        q.command("chardev-add", id="ring", backend={"type": "ringbuf", "data": {"size": 256}})
        expect(q.command("ringbuf-read", device="ring", size=10), "", "ringbuf-read")
        q.command("chardev-remove", id="ring")
        for bad in (dict(id="x", backend={}), dict(id="x", backend={"type": "nosuch", "data": {}})):
            expect(q.error("chardev-add", **bad)[0], "GenericError", str(bad))


def self_description():
    with Machine("schema", "-S") as m:
        q = Qmp(m.qmp_path)
        names = {c["name"] for c in q.command("query-commands")}
        schema = {e["name"]: e for e in q.command("query-qmp-schema")}
        expect(names - set(schema) - {"qmp_capabilities"}, set(), "commands without a schema")
        args = {a["name"]: a for a in schema[schema["memsave"]["arg-type"]]["members"]}
        expect((sorted(args), args["val"]["type"], "default" in args["cpu-index"]), (["cpu-index", "filename", "size", "val"], "int", True),
               "memsave's arguments")
        expect(len([x for x in q.command("query-machines") if x.get("is-default")]), 1, "default machines")
        if not any(x["name"] == "max" for x in q.command("query-cpu-definitions")):
            raise Wrong("query-cpu-definitions has no max")
        expect({e["name"] for e in q.command("query-events")} - set(schema), set(), "events without a schema")
        doc = subprocess.run([quern, "doc", "--monitor"], capture_output=True, text=True, timeout=LIMIT).stdout
        expect({n for n in names if not re.search(rf"(?m)^    QMP: {re.escape(n)}( |$)", doc)}, {"qmp_capabilities"}, "not in the manual")
        # every human command can be asked for help, and no name stands twice
        text = q.human("help")
        lines = [line.split(" -- ", 1)[0] for line in text.splitlines()]
        expect(len(lines), len(set(lines)), "names in help")


def pretty():
    with Machine("pretty", "-S", "-qmp-pretty", f"unix:{work}/pretty2,server=on,wait=off") as m:
        q = Qmp(os.path.join(work, "pretty2"))
        q.send('{"execute":"query-version"}')
        text = ""
        while not text.endswith("}\r\n"):
            text += q.s.recv(4096).decode()
        find(r'^\s*{\n    "return": {\n        "qemu": {\n', text)


def stdio():
    """rcutorture's way: a monitor on standard input and output, and a signal at the end."""
    p = subprocess.Popen([quern, "-bios", os.path.join(work, "halt.bin"), "-display", "none", "-monitor", "stdio", "-serial", "none", "-S"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    p.stdin.write(b"info version\n")
    p.stdin.flush()
    text = b""
    while text.count(b"(qemu) ") < 2:
        text += os.read(p.stdout.fileno(), 4096)
    find(rb"\(qemu\) info version\r\n[0-9]+\.[0-9]+", text)
    p.send_signal(signal.SIGTERM)
    rest = p.stdout.read()
    find(rb"terminating on signal 15 from pid", rest)
    expect(p.wait(LIMIT), 0, "the exit status")


def muxed():
    """-nographic: Ctrl-a c leads to the monitor and back."""
    p = subprocess.Popen([quern, "-bios", os.path.join(work, "halt.bin"), "-nographic"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(b"\x01cinfo status\n\x01c\x01cstop\ninfo status\nquit\n")
    p.stdin.flush()
    text = p.stdout.read()
    find(rb"(?s)monitor.*\(qemu\) info status\r\nVM status: running\r\n.*VM status: paused\r\n", text)
    expect(p.wait(LIMIT), 0, "the exit status")


def terminals():
    """Who gets the terminal of -nographic."""
    bios = ("-bios", os.path.join(work, "halt.bin"))
    qemu = os.path.join(work, "qemu-system-x86_64")
    os.symlink(os.path.realpath(quern), qemu)

    def run(keys, *command):
        p = subprocess.run(command + bios, input=keys, capture_output=True, timeout=LIMIT)
        expect(p.returncode, 0, "the exit status")
        return p.stdout

    # the serial port is elsewhere: the monitor
    find(rb"VM status: running", run(b"info status\nquit\n", qemu, "-nographic", "-serial", "null"))
    # QMP elsewhere: Quern keeps Ctrl-a
    find(rb"VM status: running", run(b"\x01cinfo status\nquit\n", quern, "-nographic", "-qmp", "null"))
    # a program of QEMU's name that has been given a monitor gives the terminal to the port
    p = subprocess.Popen((qemu, "-nographic", "-qmp", f"unix:{work}/term.qmp,server=on,wait=off") + bios, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
    p.stdin.write(b"\x01cinfo status\nquit\n")
    p.stdin.close()
    Qmp(os.path.join(work, "term.qmp")).command("quit")
    expect(p.stdout.read(), b"", "what the terminal shows")
    expect(p.wait(LIMIT), 0, "the exit status")


def chardev_options():
    """virtme-ng's and syzkaller's ways to say it."""
    with Machine("options", "-S", "-chardev", f"socket,id=S,server=on,wait=off,path={work}/opt1", "-mon", "chardev=S,mode=control",
                 "-chardev", "null,id=console,mux=on", "-serial", "chardev:console", "-mon", "chardev=console") as m:
        q = Qmp(os.path.join(work, "opt1"))
        expect(q.command("query-cpus-fast")[0]["cpu-index"], 0, "query-cpus-fast")
        labels = {c["label"] for c in q.command("query-chardev")}
        expect({"S", "console"} - labels, set(), "chardevs missing")


# ---- against a real QEMU: the same questions, answers of the same shape


def shape(value):
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def text_shape(text):
    """Numbers do not matter, words and layout do."""
    text = re.sub(r"\[-*[A-Z-]*\]", "[F]", text)
    return re.sub(r"\b[0-9a-f]+\b|0x[0-9a-f]+", lambda m: "N" * len(m.group()), text)


def against_qemu():
    other = shutil.which("qemu-system-x86_64")
    if not other:
        print("skip monitor-qemu: there is no qemu-system-x86_64")
        return
    args = ("-S", "-M", "pc", "-m", "64", "-smp", "2", "-nodefaults", "-name", "n", "-accel", "tcg", "-cpu", "qemu64")
    with Machine("ours", *args) as a, Machine("theirs", *args, binary=other) as b:
        ours, theirs = Qmp(a.qmp_path), Qmp(b.qmp_path)
        for name, given in (
            ("query-version", {}), ("query-name", {}), ("query-uuid", {}), ("query-cpus-fast", {}), ("query-kvm", {}),
            ("query-target", {}), ("query-memory-size-summary", {}), ("query-current-machine", {}), ("query-commands", {}),
            ("query-chardev", {}), ("query-cpu-definitions", {}), ("stop", {}), ("inject-nmi", {}),
            ("trace-event-get-state", {"name": "nosuch-*"}),
            ("human-monitor-command", {"command-line": "info status"}),
        ):
            expect(shape(ours.command(name, **given)), shape(theirs.command(name, **given)), name)
        for name, given in (
            ("nosuch", {}), ("device_del", {"id": "zz"}), ("device_add", {"driver": "zz"}), ("memsave", {"val": 0, "size": "a"}),
            ("human-monitor-command", {}), ("query-status", {"x": 1}), ("system_wakeup", {}), ("trace-event-get-state", {"name": "zz"}),
            ("ringbuf-read", {"device": "q", "size": 3}), ("send-key", {"keys": [{"type": "qcode", "data": "zork"}]}),
            ("qmp_capabilities", {}),
        ):
            expect(ours.error(name, **given), theirs.error(name, **given), name)
        for line in (
            "info status", "info name", "info uuid", "print 1+2*3", "p/c 65", "p/o 8", "print (", "p $nosuch", "x", "x /4xw", "cpu",
            "nosuch", "info nosuch", "quit 1", "xp /5xw 0x1000", "xp/3dw 0x1000", "xp /2xg 0x1000", "xp /9xb 0x1000", "xp /2uh 0x1000",
            "x /3xw 0x1000", "xp /3oh 0x1000", "gva2gpa 0x1000", "xp /3s 0", "memsave 1 2", "info registers -z", "sendkey nosuch",
            "info memory_size_summary", "device_del zz", "i /b 0x300", "stop",
        ):
            expect(ours.human(line), theirs.human(line), line)
        for line in ("info registers", "info registers -a", "info lapic", "info pic"):
            get = lambda q: text_shape(q.human(line)).split("\n")
            got, want = get(ours), get(theirs)
            if line.startswith("info registers"):
                expect(got, want, line)
        find(r"(?m)^FlatView #0\n AS \"memory\", root: system\n(.*\n)*? Root memory region: system\n  0{16}-.* \(prio 0, ram\): ",
             ours.human("info mtree -f"))


# ---- with a kernel


def guest(kernel, initrd):
    serial = os.path.join(work, "serial")
    with Machine("guest", "-M", "pc", "-m", "512", "-smp", "2", "-kernel", kernel, "-initrd", initrd, "-append",
                 "console=ttyS0 panic=-1 sysrq_always_enabled", "-no-reboot", "-serial", f"file:{serial}", bios=False) as m:
        q = Qmp(m.qmp_path)

        def console(mark, start=0):
            end = time.time() + 2 * LIMIT
            while time.time() < end and m.p.poll() is None:
                text = open(serial, errors="replace").read()[start:] if os.path.exists(serial) else ""
                if mark in text:
                    return text
                time.sleep(0.05)
            raise Wrong(f"the console never shows {mark!r}")

        console("[quern]# ")
        start = len(open(serial, errors="replace").read())
        q.human("sendkey alt-sysrq-h")
        find("sysrq: HELP", console("sysrq: HELP", start))
        q.command("send-key", keys=[{"type": "qcode", "data": k} for k in ("alt", "sysrq", "m")], hold_time=10)
        console("Mem-Info:", start)

        q.command("stop")
        text = q.human("info registers -a")
        find(r"\nCPU#0\nRAX=[0-9a-f]{16} RBX=(.*\n)*CPU#1\n(.*\n)*CR3=|CR0=80050033", text)
        pc = int(find(r"RIP=([0-9a-f]{16})", text).group(1), 16)
        expect(pc >> 47, 0x1FFFF, "the upper half of pc")
        # the same bytes at the virtual and the physical address; the instruction there has a text
        gpa = int(find(r"gpa: (0x[0-9a-f]+)", q.human(f"gva2gpa {pc:#x}")).group(1), 16)
        expect(q.command("memory-read", addr=gpa, size=16, physical=True)["data"], q.command("memory-read", addr=pc, size=16)["data"],
               "memory behind pc")
        find(rf"^{pc:#x}: ( [0-9a-f][0-9a-f])+ +[a-z]", q.human("x /i $pc"))
        expect(q.human("x /2xg $rsp").count("0x"), 2, "words on the stack")
        if "Cannot access memory" not in q.human("x /4xw 0xffffc00000000000"):
            raise Wrong("an address that is not mapped can be read")
        # the page tables: pc lies in what info mem and info tlb tell
        for line in q.human("info mem").splitlines():
            lo, hi = (int(x, 16) for x in line.split()[0].split("-"))
            if lo <= pc < hi:
                break
        else:
            raise Wrong(f"info mem does not tell of pc {pc:#x}")
        pages = dict(re.findall(r"(?m)^([0-9a-f]{16}): ([0-9a-f]{16}) ", q.human("info tlb")))
        if not any(pages.get(f"{pc & ~(size - 1):016x}") == f"{gpa & ~(size - 1):016x}" for size in (0x1000, 0x200000)):
            raise Wrong(f"info tlb does not tell of pc {pc:#x}")
        # human commands of another CPU
        expect(q.raw(json.dumps({"execute": "human-monitor-command", "arguments": {"command-line": "info registers", "cpu-index": 1}}))
               ["return"].split("\r\n")[1], "CPU#1", "cpu-index")
        expect(len(q.command("query-cpus-fast")), 2, "CPUs")
        find(r"SPIV\t 0x000001ff APIC enabled", q.human("info lapic"))
        find(r"(?m)^  pin 4 .*vec=(?!0 ).* edge", q.human("info pic"))
        find(r"prio 0, ram\): ", q.human("info mtree -f"))
        find(r"IRQ statistics for ioapic:\n(.*\n)* 4: [1-9]", q.human("info irq"))
        # paused is paused: no tick reaches the guest, and the kernel does not notice
        before = q.human("info registers")
        time.sleep(0.2)
        expect(q.human("info registers"), before, "registers of a machine that stands still")
        q.command("cont")
        # an NMI, and a panic that ends the machine
        q.command("inject-nmi")
        console("NMI", start)
        q.human("sendkey alt-sysrq-c")
        console("Kernel panic", start)
        expect(q.event("SHUTDOWN")["data"], {"guest": True, "reason": "guest-reset"}, "SHUTDOWN")
        m.ends()


def hotplug(kernel, initrd):
    """Linux's pciehp takes devices in and lets go of them."""
    serial, disk = os.path.join(work, "serial-hotplug"), os.path.join(work, "hotplug.disk")
    with open(disk, "wb") as f:
        f.truncate(16 << 20)
    with Machine("hotplug", "-M", "q35", "-m", "512", "-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 panic=-1",
                 "-no-reboot", "-device", "pcie-root-port,id=rp,slot=7", "-device", "pcie-root-port,id=rq,slot=8",
                 "-drive", f"if=none,id=d0,file={disk},format=raw", "-serial", f"file:{serial}", bios=False) as m:
        q = Qmp(m.qmp_path)

        def console(mark):
            end = time.time() + 2 * LIMIT
            while time.time() < end and m.p.poll() is None:
                if os.path.exists(serial) and mark in open(serial, errors="replace").read():
                    return
                time.sleep(0.05)
            raise Wrong(f"the console never shows {mark!r}")

        console("[quern]# ")
        q.command("device_add", driver="crc", id="hot", bus="rp")
        console("pciehp: Slot(7): Card present")
        console("[1234:00c2]")
        find(r"does not support hotplugging", q.error("device_del", id="rp")[1])
        q.command("device_add", driver="nvme", id="disk", bus="rq", drive="d0", serial="one")
        console("nvme nvme0: 1/0/0 default")
        q.command("device_del", id="hot")
        q.command("device_del", id="disk")
        console("Slot(7): Attention button pressed")
        gone = {q.event("DEVICE_DELETED")["data"]["path"] for _ in range(2)}
        expect(gone, {"/machine/peripheral/hot", "/machine/peripheral/disk"}, "DEVICE_DELETED")
        if "1234:00c2" in q.human("info pci"):
            raise Wrong("info pci still has the device")
        q.command("device_add", driver="crc", id="hot", bus="rp")
        q.command("quit")
        m.ends()


def main():
    if len(sys.argv) == 3:
        tests = [negotiation, several_in_one_write, mistakes, run_states, panic_and_reboot, several_sessions, peers_that_go_at_once,
                 a_peer_that_does_not_read, human, memory, devices, self_description,
                 pretty, stdio, muxed, terminals, chardev_options, against_qemu]
    else:
        tests = [guest, hotplug]
    for test in tests:
        name = "monitor-" + test.__name__.replace("_", "-")
        try:
            test(*sys.argv[3:5])
            report(name)
        except (Wrong, OSError, subprocess.TimeoutExpired, ValueError, KeyError, IndexError) as e:
            report(name, f"{type(e).__name__}: {e}"[:1500])
    sys.exit(failed)


main()

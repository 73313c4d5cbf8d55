#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gdb-session.py - runs the commands of a script in gdb, on a machine that it starts, and compares what gdb answers.

Usage: gdb-session.py [--gdb GDB] [--log FILE] [--set NAME=VALUE]... SCRIPT [SECTION]

SCRIPT is text; what counts in it are code blocks that begin with ```gdb (of the section SECTION: below the heading with these
words), or, in a file without any, all of it:
    $ quern -s ...          starts the machine; its port 1234 becomes a free one everywhere
    (gdb) print 6 * 7       a command of gdb
    $1 = 42                 the lines of its answer that must be there, in this order; ... stands for any text
    ^C text                 while that command runs: Ctrl-C, as soon as the machine's console shows this text
    = 0                     the machine must end by itself, with this exit status
@NAME@ is replaced by the value of --set. Lines that start with # are comments. The machine's console is its standard output.
Exit status: 0 all is as it should be, 2 an answer is wrong, 3 gdb took too long.
"""
import argparse
import os
import re
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import time

MARK = "@@session "


def blocks(text, section):
    """The lines of the code blocks, or all lines of a text without any."""
    inside, wanted, found, lines = False, section is None, False, []
    for line in text.split("\n"):
        if inside:
            if line.startswith("```"):
                inside = False
            elif wanted:
                lines.append(line)
        elif line.startswith("```gdb"):
            inside = found = True
        elif line.startswith("#") and section is not None:
            wanted = line.lstrip("# ") == section
    return lines if found else text.split("\n")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Step:
    def __init__(self, command):
        self.command, self.want, self.interrupt = command, [], None


def parse(lines, values, port):
    machine, status, steps = None, None, []
    for line in lines:
        for name, value in values.items():
            line = line.replace(f"@{name}@", value)
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("$ "):
            machine = shlex.split(line[2:])
            machine = [a.replace("1234", str(port)) for a in machine]
            if "-s" in machine:
                at = machine.index("-s")
                machine[at:at + 1] = ["-gdb", f"tcp:127.0.0.1:{port}"]
        elif line.startswith("(gdb) "):
            steps.append(Step(line[6:].replace(":1234", f":{port}")))
        elif line.startswith("^C "):
            steps[-1].interrupt = line[3:]
        elif re.fullmatch(r"= \d+", line):
            status = int(line[2:])
        else:
            steps[-1].want.append(line)
    return machine, status, steps


def pattern(want):
    return re.compile(".*".join(re.escape(part) for part in want.strip().split("...")))


def missing(step, lines):
    """The first expected line that the answer does not have, or None."""
    at = 0
    for want in step.want:
        if want.strip() == "...":
            continue
        regex = pattern(want)
        while at < len(lines) and not regex.fullmatch(lines[at].strip()):
            at += 1
        if at == len(lines):
            return want
        at += 1
    return None


class Session:
    def __init__(self, args, machine, steps):
        self.steps, self.console, self.out = steps, b"", b""
        self.log = open(args.log, "ab") if args.log else None
        self.machine = subprocess.Popen(machine, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) if machine else None
        command = [args.gdb, "-nx", "-nh", "-batch", "-ex", "set pagination off", "-ex", "set confirm off", "-ex", "set width 0",
                   "-ex", "set debuginfod enabled off", "-ex", "set style enabled off"]
        for i, step in enumerate(steps):
            command += ["-ex", f"echo \\n{MARK}{i}\\n", "-ex", step.command]
        self.gdb = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.gdb.stdout, selectors.EVENT_READ, "gdb")
        if self.machine:
            self.selector.register(self.machine.stdout, selectors.EVENT_READ, "console")
        self.interrupted = set()

    def current(self):
        return self.out.count(MARK.encode()) - 1

    def interrupt(self):
        i = self.current()
        step = self.steps[i] if i >= 0 else None
        if step and step.interrupt and i not in self.interrupted:
            at = self.seen.setdefault(i, len(self.console))
            if step.interrupt.encode() in self.console[at:]:
                self.interrupted.add(i)
                self.gdb.send_signal(signal.SIGINT)

    def run(self, limit):
        self.seen = {}
        end = time.monotonic() + limit
        reading = True
        while reading:
            ready = self.selector.select(max(0, end - time.monotonic()))
            if not ready:
                return False
            for key, _ in ready:
                data = os.read(key.fileobj.fileno(), 65536)
                if self.log and data:
                    self.log.write(data)
                    self.log.flush()
                if not data:
                    self.selector.unregister(key.fileobj)
                    reading = reading and key.data != "gdb"
                elif key.data == "gdb":
                    self.out += data
                else:
                    self.console += data
                self.interrupt()
        return True

    def stop(self):
        for child in (self.gdb, self.machine):
            if child and child.poll() is None:
                child.kill()
                child.wait()

    def answers(self):
        text = self.out.decode(errors="replace")
        parts = re.split(re.escape(MARK) + r"(\d+)\n", text)
        return {int(parts[i]): parts[i + 1].split("\n") for i in range(1, len(parts) - 1, 2)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gdb", default="gdb")
    parser.add_argument("--log")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("script")
    parser.add_argument("section", nargs="?")
    args = parser.parse_args()
    values = dict(s.split("=", 1) for s in args.set)
    machine, status, steps = parse(blocks(open(args.script).read(), args.section), values, free_port())
    if not steps:
        sys.exit(f"session: {args.script} has no commands")
    session = Session(args, machine, steps)
    signal.signal(signal.SIGTERM, lambda *_: (session.stop(), os._exit(4)))
    in_time = session.run(args.timeout)
    wrong = 0
    answers = session.answers()
    for i, step in enumerate(steps):
        lines = answers.get(i, [])
        want = missing(step, lines) if in_time or i < session.current() else None
        if want is not None or i not in answers:
            wrong += 1
            print(f"session: (gdb) {step.command}\n    expected: {want}")
            print("".join(f"    answered: {line}\n" for line in lines if line.strip())[:2000], end="")
    if not in_time:
        print(f"session: gdb still runs after {args.timeout} seconds: {steps[session.current()].command}")
    if in_time and status is not None:
        try:
            got = session.machine.wait(10)
        except subprocess.TimeoutExpired:
            got = "none: it still runs"
        if got != status:
            wrong += 1
            print(f"session: the machine's exit status is {got}, expected {status}")
    session.stop()
    sys.exit(3 if not in_time else 2 if wrong else 0)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""console.py - talks to a guest's shell through the emulator's stdin and stdout and compares its answers.

Usage: console.py [--log FILE] [--timeout SECONDS] [--set NAME=VALUE] SCRIPT -- COMMAND...

SCRIPT holds commands with the answers they must give:
    $ echo $((6 * 7))       typed when the shell's prompt is there
    42                      every following line is a line of the answer, exactly
    ~ [0-9]+ bogomips       a regular expression for a whole line
    ~~                      any lines from here on; empty lines do not count
    <C-a>x                  sent as it is, without waiting for the prompt: keys
    <SIGTERM>               the emulator gets this signal
    ! text                  waits for this text on the console, wherever it is
@NAME@ is replaced by the value of --set. Lines that start with # are comments. A line of the kernel (`[   12.345678] ...`) that
comes in between is no part of an answer. After the last command the emulator must end by itself; its exit status is ours.
2 says that an answer was wrong, 3 that the console stood still for SECONDS, 4 that the script could not be finished.
"""
import argparse
import os
import re
import selectors
import signal
import subprocess
import sys
import time

TOO_MUCH = 4 << 20
PROMPT = b"[quern]# "
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
KERNEL = re.compile(r"^\[ *[0-9]+\.[0-9]{6}\] ")


class Console:
    def __init__(self, command, log, limit):
        self.log, self.limit = log, limit
        self.seen = b""        # console output that no step has used yet
        self.ended = False
        self.total = 0
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.child.stdout, selectors.EVENT_READ)

    def give_up(self, status, why):
        print(f"console: {why}")
        tail = ESCAPES.sub(b"", self.seen[-4000:])[-2000:].decode(errors="replace")
        print("console: last output:\n    " + tail.replace("\r", "").replace("\n", "\n    "))
        self.child.kill()
        self.child.wait()
        sys.exit(status)

    def more(self, waiting_for):
        """Reads once; the limit is for silence, so that a slow machine is no failure."""
        if not self.selector.select(self.limit):
            self.give_up(3, f"nothing came for {self.limit} seconds, waiting for {waiting_for}")
        data = os.read(self.child.stdout.fileno(), 65536)
        if not data:
            self.ended = True
        self.log.write(data)
        self.log.flush()
        self.seen += data
        self.total += len(data)
        if self.total > TOO_MUCH:
            self.give_up(3, f"more than {TOO_MUCH} bytes on the console, waiting for {waiting_for}")

    def until(self, text):
        while text not in self.seen:
            if self.ended:
                self.give_up(4, f"the emulator ended while waiting for {text!r}, status {self.child.wait()}")
            self.more(repr(text))
        before, self.seen = self.seen.split(text, 1)
        return before

    def send(self, data):
        try:
            self.child.stdin.write(data)
            self.child.stdin.flush()
        except BrokenPipeError:
            self.give_up(4, "the emulator closed its input")

    def finish(self):
        while not self.ended:
            self.more("the emulator's end")
        return self.child.wait()


def parse(path, values):
    """Yields (kind, text, answer, line number)."""
    steps = []
    for number, line in enumerate(open(path), 1):
        line = line.rstrip("\n")
        for name, value in values.items():
            line = line.replace(f"@{name}@", value)
        if line.startswith("#"):
            continue
        if line.startswith("$ "):
            steps.append(("type", line[2:], [], number))
        elif line.startswith("! "):
            steps.append(("wait", line[2:], [], number))
        elif line.startswith("<SIG"):
            steps.append(("signal", line.strip("<>"), [], number))
        elif line.startswith("<C-a>"):
            steps.append(("keys", line.replace("<C-a>", "\x01"), [], number))
        elif line:
            if not steps or steps[-1][0] != "type":
                sys.exit(f"console: {path}:{number}: an answer to no command")
            steps[-1][2].append(line)
    return steps


def matches(answer, lines):
    for i, want in enumerate(answer):
        if want == "~~":
            return True
        if i >= len(lines):
            return False
        if want.startswith("~ "):
            if not re.fullmatch(want[2:], lines[i]):
                return False
        elif want != lines[i]:
            return False
    return len(lines) == len(answer)


def lines_of(output):
    """What a command printed: without its echo (all up to the first newline) and without the kernel's lines."""
    text = ESCAPES.sub(b"", output).decode(errors="replace").replace("\r", "")
    text = text.split("\n", 1)[1] if "\n" in text else ""
    return [line for line in text.rstrip("\n").split("\n") if line and not KERNEL.match(line)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", default="/dev/null")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("script")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    steps = parse(args.script, dict(s.split("=", 1) for s in args.set))
    console = Console(args.command, open(args.log, "wb"), args.timeout)
    # Whoever stops us stops the emulator. It is not waited for: we may be doing just that.
    def stopped(*_):
        console.child.kill()
        os._exit(4)
    signal.signal(signal.SIGTERM, stopped)

    wrong = typed = 0
    at_prompt = False
    started = time.monotonic()
    for i, (kind, text, answer, number) in enumerate(steps):
        if kind == "wait":
            console.until(text.encode())
        elif kind == "signal":
            console.child.send_signal(getattr(signal, text))
        elif kind == "keys":
            console.send(text.encode())
        else:
            if not at_prompt:
                console.until(PROMPT)
            if typed == 0:
                booted = time.monotonic() - started
            typed += 1
            console.send(text.encode() + b"\n")
            at_prompt = False
            # What ends the machine has no prompt after it, nor has what a wait follows.
            if i + 1 == len(steps) or steps[i + 1][0] != "type":
                if answer:
                    sys.exit(f"console: {args.script}:{number}: the last command before a wait has no answer")
                continue
            lines = lines_of(console.until(PROMPT))
            at_prompt = True
            if not matches(answer, lines):
                wrong += 1
                print(f"console: {args.script}:{number}: {text}")
                print("".join(f"    expected: {line}\n" for line in answer) + "".join(f"    answered: {line}\n" for line in lines), end="")
    status = console.finish()
    if typed:
        print(f"console: prompt after {booted:.1f} s, {typed} commands, ended after {time.monotonic() - started:.1f} s")
    if wrong:
        print(f"console: {wrong} wrong answers")
        sys.exit(2)
    if status < 0:
        print(f"console: the emulator died by signal {-status}")
        sys.exit(128 - status)
    sys.exit(status)


if __name__ == "__main__":
    main()

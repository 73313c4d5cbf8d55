#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""doc-run.py - does what a text in doc/ tells its reader to do, and compares what comes of it with what the text shows.

Usage: doc-run.py [--log FILE] [--timeout SECONDS] TEXT.md

What counts are code blocks. One that begins with ```LANGUAGE FILE is the contents of that file, in the current directory. A
```console block is a transcript:
    $ command          for the shell; \\ at the end of the line goes on in the next one. With -nographic it starts a machine
    # command          typed at the shell of the guest in that machine
    (qemu) command     typed at its monitor, behind Ctrl-a c
    other lines        the answer, line by line; ... stands for any text, and alone on a line for any lines
A machine ends by `poweroff -f` or `quit`; other commands for the shell may come before, as from another terminal. A kernel message in a
guest's answer counts only where the text shows one. Exit status 2: an answer is wrong; 3: the machine stood still.
"""
import argparse
import os
import re
import subprocess
import sys

from console import ESCAPES, KERNEL, Console

GUEST, MONITOR = b"[quern]# ", b"(qemu) "


class Step:
    def __init__(self, kind, text, number):
        self.kind, self.text, self.number, self.want = kind, text, number, []


def parse(path):
    steps, language, name, body, start = [], None, None, [], 0
    for number, line in enumerate(open(path), 1):
        line = line.rstrip("\n")
        if language is None:
            fence = re.fullmatch(r"```(\w+)(?: (\S+))?", line)
            if fence:
                language, name, body, start = fence.group(1), fence.group(2), [], number
        elif line == "```":
            if name:
                step = Step("file", name, start)
                step.want = body
                steps.append(step)
            elif language == "console":
                transcript(path, steps, body, start)
            language = None
        else:
            body.append(line)
    return steps


def transcript(path, steps, lines, start):
    kinds, open_line, began = {"$ ": "shell", "# ": "guest", "(qemu) ": "monitor"}, None, len(steps)
    for number, line in enumerate(lines, start + 1):
        if open_line is not None:
            open_line.text += "\n" + line
            open_line = open_line if line.endswith("\\") else None
            continue
        for mark, kind in kinds.items():
            if line.startswith(mark):
                steps.append(Step(kind, line[len(mark):], number))
                if kind == "shell" and line.endswith("\\"):
                    open_line = steps[-1]
                break
        else:
            if len(steps) == began:
                sys.exit(f"doc-run: {path}:{number}: an answer to no command")
            steps[-1].want.append(line)


def matches(want, got):
    """... alone: any lines; inside of a line: any text."""
    if not want:
        return not got
    if want[0].strip() == "...":
        return any(matches(want[1:], got[i:]) for i in range(len(got) + 1))
    pattern = ".*".join(re.escape(part) for part in want[0].rstrip().split("..."))
    return bool(got) and re.fullmatch(pattern, got[0].rstrip()) is not None and matches(want[1:], got[1:])


class Reader:
    def __init__(self, args):
        self.args, self.machine, self.at, self.wrong = args, None, None, 0
        self.log = open(args.log, "wb")

    def complain(self, step, got):
        self.wrong += 1
        print(f"{self.args.text}:{step.number}: {step.text}")
        print("".join(f"    expected: {line}\n" for line in step.want) + "".join(f"    answered: {line}\n" for line in got), end="")

    def shell(self, step):
        self.log.write(f"$ {step.text}\n".encode())
        if "-nographic" in step.text:
            if self.machine:
                self.machine.give_up(4, f"{self.args.text}:{step.number}: a machine is still there")
            self.machine = Console(["sh", "-c", "exec " + step.text], self.log, self.args.timeout)
            self.at = None
            return
        done = subprocess.run(step.text, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        text = done.stdout.decode(errors="replace")
        self.log.write(done.stdout)
        # Who shows no answer wants none but success.
        if not step.want and done.returncode:
            text += f"[exit status {done.returncode}]\n"
        elif not step.want:
            return
        got = text.rstrip("\n").split("\n") if text else []
        if not matches(step.want, got):
            self.complain(step, got)

    def go_to(self, place):
        """The console's other side, or the first prompt."""
        if self.at is None:
            # A machine that comes out of a snapshot shows no prompt.
            if place == GUEST:
                self.machine.until(GUEST)
                self.at = GUEST
            else:
                self.at = GUEST
        if self.at != place:
            self.machine.send(b"\x01c")
            if place == MONITOR:
                self.machine.until(MONITOR)
            else:
                self.machine.send(b"\n")
                self.machine.until(GUEST)
            self.at = place

    def typed(self, step, place):
        if not self.machine:
            sys.exit(f"doc-run: {self.args.text}:{step.number}: no machine is there")
        self.go_to(place)
        self.machine.send(step.text.encode() + b"\n")
        if step.text in ("poweroff -f", "quit"):
            status = self.machine.finish()
            self.machine = None
            if status:
                self.complain(step, [f"[exit status {status}]"])
            return
        text = ESCAPES.sub(b"", self.machine.until(place)).decode(errors="replace").replace("\r", "")
        got = (text.split("\n", 1)[1] if "\n" in text else "").rstrip("\n").split("\n")
        if not any(line.startswith("[") for line in step.want):
            got = [line for line in got if not KERNEL.match(line)]
        got = [line for line in got if line]
        if not matches(step.want, got):
            self.complain(step, got)

    def read(self, steps):
        for step in steps:
            if step.kind == "file":
                if os.path.dirname(step.text):
                    os.makedirs(os.path.dirname(step.text), exist_ok=True)
                with open(step.text, "w") as f:
                    f.write("\n".join(step.want) + "\n")
            elif step.kind == "shell":
                self.shell(step)
            else:
                self.typed(step, GUEST if step.kind == "guest" else MONITOR)
        if self.machine:
            self.machine.give_up(4, "the text ends while a machine runs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", default="/dev/null")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("text")
    args = parser.parse_args()
    steps = parse(args.text)
    if not steps:
        sys.exit(f"doc-run: {args.text} has nothing to do")
    reader = Reader(args)
    reader.read(steps)
    print(f"doc-run: {len(steps)} steps, {reader.wrong} wrong")
    sys.exit(2 if reader.wrong else 0)


main()

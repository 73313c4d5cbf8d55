#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""machine.py - for tests in Python: a machine with a shell on its console (shell-initramfs) and a QMP connection."""
import json
import os
import re
import select
import socket
import subprocess

PROMPT = b'[quern]# '


class Machine:
    """COMMAND is the emulator and its arguments, besides those for the console and for QMP; DIRECTORY is for its files."""

    def __init__(self, directory, command):
        path = directory + '/qmp'
        if os.path.exists(path):
            os.unlink(path)
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(1)
        self.process = subprocess.Popen(
            command + ['-display', 'none', '-serial', 'stdio', '-qmp', 'unix:' + path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(directory + '/stderr', 'w'))
        self.buffer = b''
        server.settimeout(30)
        connection = server.accept()[0]
        server.close()
        connection.settimeout(100)
        self.qmp = connection.makefile('rw')
        self.qmp.readline()
        self.command('qmp_capabilities')

    def end(self):
        self.process.kill()
        self.process.wait()

    # One QMP command; its answer, or an Exception with its error.
    def command(self, execute, **arguments):
        self.qmp.write(json.dumps({'execute': execute, 'arguments': arguments}) + '\n')
        self.qmp.flush()
        while True:
            answer = json.loads(self.qmp.readline())
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise Exception(answer['error']['desc'])

    def human(self, line):
        return self.command('human-monitor-command', **{'command-line': line})

    def event(self, wanted):
        while True:
            answer = json.loads(self.qmp.readline())
            if answer.get('event') == wanted:
                return answer

    def until(self, what):
        while what not in self.buffer:
            if not select.select([self.process.stdout], [], [], 100)[0]:
                raise Exception('no %r after %r' % (what, self.buffer[-1000:]))
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                raise Exception('the guest ended: %r' % self.buffer[-1000:])
            self.buffer += got
            if b'\x1b[6n' in got:  # the shell asks where the cursor is
                self.buffer = self.buffer.replace(b'\x1b[6n', b'')
        at = self.buffer.index(what) + len(what)
        text, self.buffer = self.buffer[:at], self.buffer[at:]
        return text

    def type(self, line):
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()

    # What a shell line prints.
    def shell(self, line):
        self.type(line + '\necho DO""NE')
        text = self.until(b'DONE\r\n').decode(errors='replace').replace('\r', '')
        self.until(PROMPT)
        lines = text.split('\n')
        return [l for l in lines if not l.startswith('[quern]# ') and l not in ('DONE', '') and line not in l]

    def caught(self, what, line, symbols, offset='0x0'):
        """Types a line, or lets the machine go on without, and waits for what is caught: the CPUs that are at the symbols."""
        self.human('catch ' + what)
        if line:
            self.type(line)
        else:
            self.command('cont')
        self.event('STOP')
        where = [w for w in self.command('query-where') if re.match(r'(%s)\+%s/' % (symbols, offset), w['symbol'])]
        self.human('uncatch')
        return where

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# guest-32bit.py - of a 32-bit kernel in the guest the emulator says that it is one. Usage: guest-32bit.py QUERN KERNEL
import sys
import tempfile

from machine import Machine

quern, kernel = sys.argv[1:3]
SENTENCE = 'the guest runs a 32-bit kernel: only 64-bit ones are known from their memory'
failed = False


def report(what, good, why):
    global failed
    print('%s 32-bit-%s%s' % ('ok' if good else 'FAIL', what, '' if good else ': ' + why), flush=True)
    failed |= not good


with tempfile.TemporaryDirectory() as directory:
    guest = Machine(directory, [quern, '-m', '256', '-S', '-kernel', kernel, '-append', 'console=ttyS0', '-no-reboot'])
    try:
        answer = guest.human('ps')
        report('not-yet', 'no Linux kernel was found' in answer, answer)
        answer = guest.human('catch oops')
        report('waits', 'waits for the kernel' in answer, answer)
        guest.command('cont')
        guest.until(b'Kernel panic - not syncing')
        answer = guest.human('ps')
        report('tasks', SENTENCE in answer, answer)
        answer = guest.human('catch warn')
        report('catch', SENTENCE in answer, answer)
        said = open(directory + '/stderr').read()
        report('warned-once', said.count('catch: ' + SENTENCE) == 1, said)
    finally:
        guest.end()
sys.exit(failed)

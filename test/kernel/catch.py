#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# catch.py - every kind of catchpoint stops a kernel with LKDTM, test_lockup and the module `locks` before it tells of what it was
# caught at, and the kernel's log tells of it afterwards. Usage: catch.py QUERN KERNEL INITRD; prints ok/FAIL lines.
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from machine import PROMPT, Machine

quern, kernel, initrd = sys.argv[1:4]
failed = False


def report(what, good, why=''):
    global failed
    print('%s %s%s' % ('ok' if good else 'FAIL', what, '' if good else ': ' + why), flush=True)
    failed |= not good


class Guest(Machine):
    def __init__(self, directory):
        super().__init__(directory, [
            quern, '-m', '256', '-smp', '2', '-M', 'pc,kaslr=on', '-kernel', kernel, '-initrd', initrd, '-append',
            'console=ttyS0 panic=-1 reboot=t loglevel=1'])
        self.until(PROMPT)
        self.shell('mount -t debugfs debug /sys/kernel/debug; insmod lkdtm.ko')

    def said(self, message):
        return self.human('dmesg').count(message)

    # The line leads to the start of the function. When that is met the log does not have the message yet, unless the kernel
    # calls the function for what it has told already; and it has the message later.
    def expect(self, name, kind, line, function, message, told=0):
        before = self.said(message)
        where = self.caught(kind, line, function)
        report('catch-' + name, bool(where) and self.said(message) == before + told,
               '%s, %s' % (self.command('query-where'), self.human('dmesg 20')))
        self.command('cont')
        self.until(PROMPT)
        report('dmesg-' + name, self.said(message) > before, self.human('dmesg 60'))


def provoke(what):
    return "sh -c 'echo %s > /sys/kernel/debug/provoke-crash/DIRECT'" % what


def crashes(guest):
    guest.expect('module', 'module test_lockup', 'insmod test_lockup.ko time_nsecs=1', 'do_init_module', 'test_lockup: START')
    guest.expect('warn', 'warn', provoke('WARNING'), '__warn', 'WARNING: CPU')
    guest.expect('warn-message', 'warn', provoke('WARNING_MESSAGE'), '__warn', 'WARNING: CPU')
    # after an oops the kernel looks for hung tasks no more
    guest.shell('echo 1 > /proc/sys/kernel/hung_task_timeout_secs')
    guest.expect('hung-task', 'hung-task', 'insmod test_lockup.ko state=D time_secs=4', 'sched_show_task', 'INFO: task insmod:', told=1)
    guest.expect('hung-for-ever', 'hung-task', provoke('HUNG_TASK') + ' &', 'sched_show_task', 'INFO: task sh:', told=1)
    guest.expect('oops-fault', 'oops', provoke('EXCEPTION'), 'oops_begin', 'BUG: kernel NULL pointer dereference')
    guest.expect('oops-bug', 'oops', provoke('BUG'), 'oops_begin', 'Kernel BUG at', told=1)
    where = guest.caught('exception 6', provoke('BUG'), 'lkdtm_BUG', '.*')
    report('catch-exception', bool(where), str(guest.command('query-where')))
    guest.command('cont')
    guest.until(PROMPT)
    where = guest.caught('panic', provoke('PANIC'), 'v?panic')
    report('catch-panic', bool(where) and not guest.said('Kernel panic'), str(guest.command('query-where')))
    where = guest.caught('triple-fault', None, 'native_machine_emergency_restart', '.*')
    report('catch-triple-fault', bool(where) and guest.said('Kernel panic'), str(guest.command('query-where')))


# Lockdep tells of one mistake only, and is off then.
MISTAKES = [
    ('order', 'WARNING: possible circular locking dependency detected'),
    ('twice', 'WARNING: possible recursive locking detected'),
    ('usage', 'WARNING: inconsistent lock state'),
    ('dependency', 'WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected'),
    ('unlock', 'WARNING: bad unlock balance detected!'),
    ('freed', 'WARNING: held lock freed!'),
]


def attempt(name, what):
    with tempfile.TemporaryDirectory() as directory:
        guest = None
        try:
            guest = Guest(directory)
            what(guest)
        except Exception as e:
            report(name, False, '%s; %s' % (repr(e), open(directory + '/stderr').read()))
            if os.environ.get('TRACEBACK'):
                raise
        finally:
            if guest:
                guest.end()


attempt('crashes', crashes)
for wrong, message in MISTAKES:
    attempt(wrong, lambda guest: guest.expect('lockdep-' + wrong, 'lockdep', 'insmod locks.ko wrong=' + wrong, 'debug_locks_off', message))
sys.exit(failed)

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.py - what the emulator knows of the Linux in the guest, compared with what that Linux says itself in /proc and /sys.
# Usage: test/guest.py NAME QUERN KERNEL INITRD MODULE [ARGUMENT...]; prints ok/FAIL lines. The initramfs has MODULE as /root/MODULE.ko;
# APPEND holds more of the kernel's command line. With VMLINUX: a kernel without symbols, but with this file of it.
import json, os, random, re, shutil, struct, subprocess, sys, tempfile, time

from machine import PROMPT, Machine

name, quern, kernel, initrd, module = sys.argv[1:6]
failed = 0


def report(what, good, why=''):
    global failed
    print('%s %s-%s%s' % ('ok' if good else 'FAIL', name, what, '' if good else ': ' + why), flush=True)
    failed |= not good


class Guest(Machine):
    def __init__(self, directory, extra):
        self.directory = directory
        super().__init__(directory, [
            quern, '-m', '400', '-smp', '2', '-kernel', kernel, '-initrd', initrd, '-append',
            'console=ttyS0 panic=-1 reboot=t no_hash_pointers loglevel=1 ' + os.environ.get('APPEND', '')] + extra)


# The first question, while all CPUs are in user mode (and, with page-table isolation, on tables that lack the kernel).
def in_user_mode(guest):
    guest.shell('while :; do :; done & a=$!; while :; do :; done & b=$!')
    good = []
    for _ in range(40):
        guest.command('stop')
        where = guest.command('query-where')
        good.append(all(w['user'] and w.get('comm') == 'sh' for w in where))
        guest.command('cont')
        if good[-1]:
            break
        time.sleep(0.05)
    report('user-mode', good[-1], str(where))
    guest.shell('kill $a $b')


def symbols(guest, r):
    lines = [l.split() for l in guest.shell('cat /proc/kallsyms')]
    lines = [l for l in lines if len(l) in (3, 4) and len(l[0]) == 16]
    count = {}
    for l in lines:
        count[l[2]] = count.get(l[2], 0) + 1
    once = [l for l in lines if count[l[2]] == 1 and l[1] in 'tTdDbBrR' and int(l[0], 16) >= 1 << 63]
    sample = r.sample(once, 200) + [l for l in once if len(l) == 4][:20]
    wrong = []
    for l in sample:
        s = guest.command('query-symbol', what=l[2])
        own = l[3][1:-1] if len(l) == 4 else ''
        if int(s['start'], 16) != int(l[0], 16) or s['type'] != l[1] or s['module'] != own:
            wrong.append('%s: %s' % (' '.join(l), s))
    report('symbols', len(lines) > 50000 and not wrong, '%d lines, %s' % (len(lines), wrong[:3]))
    # by address: the kernel's text, each address once
    text = [l for l in once if l[1] in 'tT' and len(l) == 3]
    address = {}
    for l in lines:
        address[l[0]] = address.get(l[0], 0) + 1
    wrong = []
    for l in r.sample([l for l in text if address[l[0]] == 1], 100):
        s = guest.command('query-symbol', what='0x%x' % (int(l[0], 16) + 1))
        if s['symbol'] != l[2] and s['size'] > 1:
            wrong.append('%s: %s' % (' '.join(l), s))
    report('addresses', not wrong, str(wrong[:3]))
    return {l[2]: int(l[0], 16) for l in once}


def tasks(guest):
    # the shell and what it has just started come and go
    want = {}
    for line in guest.shell('cat /proc/[0-9]*/stat'):
        m = re.match(r'(\d+) \((.*)\) (\S) (\d+) ', line)
        if m:
            want[int(m[1])] = (m[2], int(m[4]))
    guest.command('stop')
    start = time.time()
    answer = guest.command('query-tasks')
    took = time.time() - start
    got = {t['pid']: (t['comm'], t['ppid']) for t in answer if t['pid'] and t['tgid'] == t['pid']}
    wrong = []
    for pid, (comm, ppid) in want.items():
        if comm == 'cat':
            continue
        # /proc has longer names for kernel threads
        if pid not in got or (got[pid][0] != comm[:15] and not comm.startswith('kworker')) or got[pid][1] != ppid:
            wrong.append('%d %s %d: %s' % (pid, comm, ppid, got.get(pid)))
    report('tasks', len(want) > 330 and not wrong, '%d tasks, %s' % (len(want), wrong[:5]))
    report('tasks-fast', took < 1, '%d tasks took %.2f s' % (len(answer), took))
    states = {t['comm']: t['state'] for t in answer}
    report('states', states['sleep'] == 'S' and states['rcu_gp' if 'rcu_gp' in states else 'kworker/R-rcu_g'] == 'I', str(states))
    guest.command('cont')


def stacks(guest):
    pids, frames, pid = [], {}, None
    for line in guest.shell('for i in /proc/[0-9]*; do echo == ${i#/proc/} $(cat $i/comm); cat $i/stack; done 2>/dev/null'):
        if line.startswith('== '):
            pid = int(line.split()[1])
            frames[pid] = []
            if not line.split()[2].startswith(('kworker', 'cat', 'sh', 'rcu', 'ksoftirqd', 'migration')):
                pids.append(pid)
        elif line.startswith('[<0>]'):
            frames[pid].append(line.strip())
    guest.command('stop')
    wrong, same = [], 0
    for pid in pids:
        try:
            got = guest.human('stack %d' % pid).replace('\r', '').split('\n')[:-1]
        except Exception as e:
            got = [str(e)]
        same += got == frames[pid]
        if got != frames[pid]:
            wrong.append('%d: %s, not %s' % (pid, got, frames[pid]))
    # one may have run in between
    report('stacks', same > 300 and len(wrong) <= 2, '%d same, %s' % (same, wrong[:3]))
    if shutil.which('gdb'):
        in_gdb(guest, {pid: frames[pid] for pid in pids})
    guest.command('cont')


# What gdb runs: the time that `info threads` takes, and the addresses in the backtrace of each task that is asked for.
GDB = '''
import gdb, json, time
def took():
    gdb.execute('maint flush register-cache', to_string=True)
    start = time.time()
    text = gdb.execute('info threads', to_string=True)
    return [time.time() - start, text.count('Thread ')]
times = [took() for _ in range(3)]
threads = {t.ptid[1]: t for t in gdb.selected_inferior().threads()}
stacks = {}
for pid in PIDS:
    threads[10000000 + pid].switch()
    frame, pcs = gdb.newest_frame(), []
    while frame and frame.is_valid() and frame.pc() >> 63:
        pcs.append(frame.pc())
        frame = frame.older()
    stacks[pid] = pcs
print('ANSWER ' + json.dumps([min(times), stacks]))
'''


def in_gdb(guest, frames):
    sample = sorted(random.Random(2).sample(sorted(frames), 80) + [1, 2])
    with open(guest.directory + '/script.py', 'w') as f:
        f.write(GDB.replace('PIDS', str(sample)))
    guest.human('gdbserver unix:%s/gdb,server=on,wait=off' % guest.directory)
    out = subprocess.run(['gdb', '-nx', '-batch', '-iex', 'set debuginfod enabled off', '-ex', 'target remote %s/gdb' % guest.directory,
                          '-x', guest.directory + '/script.py', '-ex', 'disconnect'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, timeout=100).stdout
    guest.human('gdbserver none')
    answer = [l for l in out.split('\n') if l.startswith('ANSWER ')]
    if not answer:
        report('gdb', False, out)
        return
    (took, count), stacks = json.loads(answer[0][7:])
    report('gdb-threads', took < 1 and count > 330, '%d threads took %.2f s' % (count, took))
    wrong, cache = [], {}
    for pid, pcs in stacks.items():
        for pc in pcs:
            if pc not in cache:  # the address behind a call
                s = guest.command('query-symbol', what='0x%x' % (pc - 1))
                cache[pc] = '[<0>] %s+0x%x/0x%x' % (s['symbol'], pc - int(s['start'], 16), s['size'])
        got, want = [cache[pc] for pc in pcs], frames[int(pid)]
        # /proc leaves out the scheduler's own functions, which are the innermost ones
        if not want or got[-len(want):] != want or len(got) - len(want) > 5:
            wrong.append('%s: %s, not %s' % (pid, got, want))
    report('gdb-stacks', len(stacks) > 80 and len(wrong) <= 1, '%d, %s' % (len(wrong), wrong[:2]))


def files(guest):
    guest.shell('cd /sys/kernel; sleep 9999 < /proc/version > /tmp/out 2>> "/root/a b" | sleep 9998 & cd; sleep 1')
    pids = guest.shell('pidof sleep')[0].split()
    text = [t for t in guest.command('query-tasks') if t['comm'] == 'sleep']
    pair = sorted(t['pid'] for t in text)[-2:]
    wrong = []
    for pid in pair + [1]:
        want = {}
        for line in guest.shell('ls -l /proc/%d/fd' % pid):
            m = re.match(r'.* (\d+) -> (.*)$', line)
            if m:
                want[int(m[1])] = m[2]
        got = {f['fd']: f['path'] for f in guest.command('query-files', pid=pid)}
        if len(want) < 3 or want != got:
            wrong.append('%d: %s, not %s' % (pid, got, want))
    report('files', len(pids) > 300 and not wrong, str(wrong))


def log(guest):
    want = [l for l in guest.shell('dmesg') if l.startswith('[')]
    got = guest.human('dmesg').replace('\r', '').split('\n')
    report('dmesg', len(want) > 100 and want == [l for l in got if l][:len(want)],
           str([(a, b) for a, b in zip(want, got) if a != b][:3]))


def modules(guest):
    want = {}
    for line in guest.shell('cd /sys/module/%s/sections; grep . .[a-z_]* _*; cd' % module):
        m = re.match(r'(\S+):(0x[0-9a-f]+)$', line)
        if m:
            want[m[1]] = int(m[2], 16)
    listed = {m['name']: m for m in guest.command('query-modules')}
    got = {s['name']: int(s['address'], 16) for s in listed[module]['sections']}
    report('sections', len(want) > 10 and all(got.get(k) == v for k, v in want.items()), '%s, not %s' % (got, want))
    report('module-base', int(listed[module]['base'], 16) == want['.text'], listed[module]['base'])
    report('build-id', len(listed['vmlinux']['build-id']) == 40, str(listed['vmlinux']['build-id']))
    guest.shell('rmmod ' + module)
    report('unloaded', module not in [m['name'] for m in guest.command('query-modules')], 'it is still listed')


# The machine stops where it was asked to, and goes on.
def caught(guest, what, line, symbols, comm=None, end=False, offset='0x0'):
    where = guest.caught(what, line, symbols, offset)
    report('catch-' + what.split()[0], bool(where) and (not comm or where[0].get('comm') == comm), str(guest.command('query-where')))
    if not end:
        guest.command('cont')
        guest.until(PROMPT)


# What a kernel does in distress. A system call that is not made elsewhere gets code that brings it there.
def distress(guest):
    address = lambda symbol: int(guest.command('query-symbol', what=symbol)['start'], 16)
    write = lambda at, data: guest.human('memory-write 0x%x %s' % (at, data.hex()))
    sync = address('__x64_sys_syncfs')
    # WARN() is an instruction that is none, with an entry in a table (a distance, a file, a line, flags); then return 0
    table = address('__start___bug_table')
    write(table, struct.pack('<i', sync - table))
    write(table + 10, struct.pack('<H', 0x0901))
    write(sync, b'\x0f\x0b\x31\xc0\xc3')
    caught(guest, 'warn', 'sync -f /', '__warn', 'sync')
    # return schedule_timeout_uninterruptible(1000)
    write(sync, struct.pack('<BI2sQ2s', 0xbf, 1000, b'\x48\xb8', address('schedule_timeout_uninterruptible'), b'\xff\xe0'))
    guest.shell('echo 1 > /proc/sys/kernel/hung_task_timeout_secs')
    caught(guest, 'hung-task', 'sync -f /', 'sched_show_task', 'khungtaskd')
    report('dmesg-hung-task', bool(re.search(r'INFO: task sync:\d+ blocked for more than', guest.human('dmesg'))), guest.human('dmesg 40'))
    # without an entry in the table it is a bug
    write(sync, b'\x90\x0f\x0b')
    caught(guest, 'exception 6', 'sync -f /', '__x64_sys_syncfs', 'sync', end=True, offset='0x1')
    caught(guest, 'oops', None, 'oops_begin|oops_enter', 'sync')
    caught(guest, 'panic', 'echo c > /proc/sysrq-trigger', 'v?panic', end=True)
    # with reboot=t the way out of a panic
    caught(guest, 'triple-fault', None, 'native_machine_emergency_restart', end=True, offset='.*')


def run(directory):
    guest = Guest(directory, sys.argv[6:])
    r = random.Random(1)
    try:
        guest.until(PROMPT)
        in_user_mode(guest)
        guest.shell('for i in $(seq 300); do sleep 10000 & done; insmod %s.ko' % module)
        symbols(guest, r)
        tasks(guest)
        stacks(guest)
        files(guest)
        log(guest)
        modules(guest)
        caught(guest, 'module ' + module, 'insmod %s.ko' % module, 'do_init_module', 'insmod')
        guest.shell('ln -s /bin/busybox /root/true')
        caught(guest, 'exec true', '/root/true', 'finalize_exec', 'true')
        caught(guest, 'syscall chdir', 'cd /', '__x64_sys_chdir', 'sh')
        guest.human('catch syscall chdir nobody')
        guest.shell('cd /tmp; cd')
        report('catch-who', guest.command('query-status')['status'] == 'running', 'stopped for another')
        guest.human('uncatch')
        distress(guest)
    finally:
        guest.end()


# Before the first instruction, where the loader's image tells it all, and across a reset, after which the kernel may lie elsewhere.
def early(directory):
    guest = Guest(directory, sys.argv[6:] + ['-S'])
    try:
        known = None
        try:
            known = guest.command('query-symbol', what='start_kernel')['start']
        except Exception:
            pass
        guest.human('catch exec init')
        guest.command('cont')
        guest.event('STOP')
        where = guest.command('query-where')
        report('early-catch', any(w['symbol'].startswith('finalize_exec+0x0/') and w['pid'] == 1 for w in where), str(where))
        guest.command('cont')
        guest.until(PROMPT)
        is_at = '0x' + guest.shell('grep " start_kernel$" /proc/kallsyms')[0].split()[0]
        unpacks_itself = any('decompress=guest' in a for a in sys.argv)
        report('early-symbol', known == (None if unpacks_itself else is_at), '%s, not %s' % (known, is_at))
        guest.command('system_reset')
        guest.event('STOP')
        where = guest.command('query-where')
        report('reset', any(w['symbol'].startswith('finalize_exec+0x0/') and w['pid'] == 1 for w in where), str(where))
    finally:
        guest.end()


# A kernel whose symbol tables are destroyed, as if it had been built without; its ELF file tells instead.
def blind(directory, vmlinux):
    nm = subprocess.run(['nm', vmlinux], stdout=subprocess.PIPE, text=True, check=True).stdout.split('\n')
    tables = [int(l.split()[0], 16) for l in nm if l.endswith(' kallsyms_token_index')][0]
    linked = [int(l.split()[0], 16) for l in nm if l.endswith(' T _text')][0]
    guest = Guest(directory, sys.argv[6:] + ['-vmlinux', vmlinux])
    try:
        guest.until(PROMPT)
        text = [l.split() for l in guest.shell('grep -E " (_text|start_kernel)$" /proc/kallsyms')]
        at = {l[2]: int(l[0], 16) for l in text}
        want = [l.strip() for l in guest.shell('cat /proc/1/stack')]
        guest.command('stop')
        guest.human('memory-write 0x%x %s' % (tables + at['_text'] - linked, '00' * 512))
        got = guest.human('stack 1').replace('\r', '').split('\n')[:-1]
        report('vmlinux-stack', len(want) > 3 and want == got, '%s, not %s' % (got, want))
        report('vmlinux-symbol', int(guest.command('query-symbol', what='start_kernel')['start'], 16) == at['start_kernel'])
    finally:
        guest.end()


with tempfile.TemporaryDirectory() as directory:
    try:
        if 'VMLINUX' in os.environ:
            blind(directory, os.environ['VMLINUX'])
        else:
            run(directory)
            early(directory)
    except Exception as e:
        report('session', False, '%s; %s' % (repr(e), open(directory + '/stderr').read()))
        if os.environ.get('TRACEBACK'):
            raise
sys.exit(failed)

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# dump.py - dumps of a running guest in every format, compared with its memory, which is a file; and what other programs read in them.
# Usage: test/dump.py NAME QUERN KERNEL INITRD 64|32 [ARGUMENT...]; prints ok/FAIL lines.
# The dumps are left in the directory DUMP_KEEP, if that is set.
import json, mmap, os, shutil, socket, struct, subprocess, sys, tempfile, zlib

name, quern, kernel, initrd, bits = sys.argv[1:6]
wide = bits == '64'
RAM = 192 << 20
KERNEL = 1 << 63 if wide else 0xc0000000  # addresses from here on
CODECS = {'zlib': 1, 'lzo': 2, 'snappy': 4, 'zstd': 0x20}
failed = 0


def report(what, good, why=''):
    global failed
    print('%s %s-%s%s' % ('ok' if good else 'FAIL', name, what, '' if good else ': ' + str(why)), flush=True)
    failed |= not good


class Guest:
    def __init__(self, directory, extra):
        self.events = []
        server = socket.socket(socket.AF_UNIX)
        server.bind(directory + '/qmp')
        server.listen(1)
        self.process = subprocess.Popen(
            [quern, '-machine', 'memory-backend=ram', '-object',
             'memory-backend-file,id=ram,size=%d,share=on,mem-path=%s/ram' % (RAM, directory), '-smp', '2',
             '-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0 panic=-1', '-display', 'none', '-serial', 'stdio',
             '-qmp', 'unix:%s/qmp' % directory] + extra, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        server.settimeout(30)
        self.socket = server.accept()[0]
        self.qmp = self.socket.makefile('rw')
        self.qmp.readline()
        self.command('qmp_capabilities')
        seen = b''
        while b'[quern]# ' not in seen:
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                raise Exception('the guest ended: %r' % seen[-1000:])
            seen += got

    def command(self, execute, fds=(), **arguments):
        line = json.dumps({'execute': execute, 'arguments': arguments}) + '\n'
        if fds:
            socket.send_fds(self.socket, [line.encode()], fds)
        else:
            self.qmp.write(line)
            self.qmp.flush()
        while True:
            answer = json.loads(self.qmp.readline())
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise Exception(answer['error']['desc'])
            self.events.append(answer)

    def event(self, wanted):
        while True:
            for i, event in enumerate(self.events):
                if event['event'] == wanted:
                    return self.events.pop(i)
            self.events.append(json.loads(self.qmp.readline()))


# ---- readers

class Elf:
    def __init__(self, data):
        self.data = data
        self.wide = data[4] == 2
        self.machine = struct.unpack_from('<H', data, 18)[0]
        self.magic = data[:6]
        if self.wide:
            at, = struct.unpack_from('<Q', data, 32)
            size, count = struct.unpack_from('<HH', data, 54)
        else:
            at, = struct.unpack_from('<I', data, 28)
            size, count = struct.unpack_from('<HH', data, 42)
        self.load, self.notes = [], []
        for i in range(count):
            if self.wide:
                kind, _, offset, va, pa, filesz, memsz, _ = struct.unpack_from('<IIQQQQQQ', data, at + i * size)
            else:
                kind, offset, va, pa, filesz, memsz, _, _ = struct.unpack_from('<IIIIIIII', data, at + i * size)
            if kind == 4:
                self.notes += list(notes(data[offset:offset + filesz]))
            elif kind == 1:
                self.load.append((va, pa, filesz, memsz, offset))


def notes(data):
    at = 0
    while at + 12 <= len(data):
        namesz, descsz, kind = struct.unpack_from('<III', data, at)
        desc = at + 12 + (namesz + 3 & ~3)
        yield data[at + 12:at + 12 + namesz - 1].decode(), kind, bytes(data[desc:desc + descsz])
        at = desc + (descsz + 3 & ~3)


def check_notes(what, found, info):
    names = [n for n, _, _ in found]
    status = [d for n, k, d in found if n == 'CORE' and k == 1]
    report(what + '-notes', names.count('CORE') == names.count('QEMU') == 2 and names.count('VMCOREINFO') == 1 and
           {len(d) for d in status} == {336 if wide else 144} and [d for n, _, d in found if n == 'VMCOREINFO'] == [info], names)


# What the guest has as memory: all but the window of graphics cards.
HOLES = [(0xa0000, 0xc0000)]


# at_least: the last piece may end there already.
def check_memory(what, load, data, ram, expected, at_least=None):
    bad = [hex(pa) for va, pa, filesz, memsz, offset in load
           if filesz != memsz or offset + filesz > len(data) or data[offset:offset + filesz] != ram[pa:pa + filesz]]
    covered = sorted((pa, pa + size) for _, pa, size, _, _ in load)
    merged = []
    for lo, hi in covered:
        if merged and lo <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], hi))
        else:
            merged.append((lo, hi))
    report(what + '-memory', not bad and (merged == expected or at_least and merged[:-1] == expected[:-1] and at_least <= merged[-1][1] <= RAM),
           (bad[:5], merged[:10]))


def check_kdump(what, data, ram, codec):
    block, sub, maps = struct.unpack_from('<3I', data, 428 if wide else 416)
    fail = []
    bitmap = (1 + sub) * block
    desc = bitmap + maps * block
    pages = 0
    for pfn in range(RAM // 4096):
        there = data[bitmap + pfn // 8] >> pfn % 8 & 1
        if not there:
            if not any(lo <= pfn * 4096 < hi for lo, hi in HOLES):
                fail.append(('missing', hex(pfn)))
            continue
        offset, size, flags, _ = struct.unpack_from('<QIIQ', data, desc + 24 * pages)
        pages += 1
        page = data[offset:offset + size]
        if flags == 1:
            page = zlib.decompress(page)
        elif flags:
            if flags != CODECS[codec]:
                fail.append(('flags', flags))
            continue
        if page != ram[pfn * 4096:pfn * 4096 + 4096]:
            fail.append(('differs', hex(pfn)))
    report(what + '-pages', not fail and pages == RAM // 4096 - 32, fail[:5])


# ---- what others say

def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(errors='replace')


def check_makedumpfile(directory):
    if not shutil.which('makedumpfile'):
        print('skip %s-makedumpfile: it is not installed' % name)
        return
    for codec in CODECS:
        flat, raw, out = ['%s/%s' % (directory, x) for x in ('kdump-' + codec, 'kdump-raw-' + codec, 'out')]
        with open(flat) as f:
            done = subprocess.run(['makedumpfile', '-R', out], stdin=f, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        report('makedumpfile-assembles-' + codec, done.returncode == 0 and open(out, 'rb').read() == open(raw, 'rb').read(), done.stdout)
        os.unlink(out)
    if not wide:
        return
    logs = []
    for dump in ('elf', 'kdump-raw-zlib', 'kdump-raw-lzo'):
        out = directory + '/dmesg'
        status, text = run('makedumpfile', '--dump-dmesg', directory + '/' + dump, out)
        logs.append(open(out).read() if status == 0 else text)
        report('makedumpfile-log-' + dump, 'Linux version' in logs[-1] and 'Run /init' in logs[-1] and logs[-1] == logs[0], logs[-1][-500:])
        os.unlink(out)


def check_gdb(guest, directory):
    if not shutil.which('gdb'):
        print('skip %s-gdb: it is not installed' % name)
        return
    registers = guest.command('human-monitor-command', **{'command-line': 'info registers -a'})
    want = ['0x' + line.split('RIP=')[1].split()[0].lstrip('0') for line in registers.splitlines() if 'RIP=' in line]
    dump = directory + '/paging'
    first = struct.unpack('<Q', open(directory + '/ram', 'rb').read(8))[0]
    status, text = run('gdb', '-nx', '-batch', '-c', dump, '-ex', 'thread 1', '-ex', 'p/x $rip', '-ex', 'thread 2', '-ex', 'p/x $rip',
                       '-ex', 'x/xg 0xffff888000000000')
    rips = [line.split(' = ')[1] for line in text.splitlines() if line.startswith('$') and ' = ' in line]
    report('gdb', status == 0 and rips == want and '0x%016x' % first in text, (want, text[-600:]))


def main(directory):
    guest = Guest(directory, sys.argv[6:])
    try:
        checks(guest, directory)
    finally:
        guest.process.kill()


def dump(guest, directory, path, **arguments):
    guest.command('dump-guest-memory', paging=arguments.pop('paging', False), protocol='file:%s/%s' % (directory, path), **arguments)
    return open('%s/%s' % (directory, path), 'rb').read()


def physical(guest, va):
    text = guest.command('human-monitor-command', **{'command-line': 'gva2gpa ' + hex(va)})
    return int(text.split('gpa: ')[1].split()[0], 0) if 'gpa: ' in text else text


def checks(guest, directory):
    info = guest.command('vmcoreinfo-get')['vmcoreinfo'].encode()
    report('vmcoreinfo', info.startswith(b'OSRELEASE=') and b'PAGESIZE=4096\n' in info, info[:200])
    guest.command('stop')
    with open(directory + '/ram', 'rb') as f:
        ram = mmap.mmap(f.fileno(), RAM, prot=mmap.PROT_READ)
    report('capability', {'elf', 'kdump-zlib', 'kdump-raw-zstd'} <= set(guest.command('query-dump-guest-memory-capability')['formats']))

    elf = Elf(dump(guest, directory, 'elf'))
    report('elf', elf.magic == (b'\x7fELF\2\1' if wide else b'\x7fELF\1\1') and elf.machine == (62 if wide else 3), elf.magic)
    check_notes('elf', elf.notes, info)
    check_memory('elf', elf.load, elf.data, ram, [(0, 0xa0000), (0xc0000, RAM)])
    status, text = run('readelf', '-aW', directory + '/elf')
    report('readelf', status == 0 and 'Warning' not in text and 'Error' not in text, text[-500:])

    part = Elf(dump(guest, directory, 'part', begin=0x1234000, length=0x5678))
    check_memory('part', part.load, part.data, ram, [(0x1234000, 0x1234000 + 0x5678)])

    # into a pipe that was handed over; its name is gone afterwards
    out, into = os.pipe()
    guest.command('getfd', fds=[into], fdname='pipe')
    os.close(into)
    guest.command('dump-guest-memory', paging=False, protocol='fd:pipe', begin=0x1234000, length=0x5678)
    report('fd', os.read(out, 1 << 20) == part.data and os.read(out, 1) == b'')
    os.close(out)
    try:
        guest.command('dump-guest-memory', paging=False, protocol='fd:pipe')
        report('fd-once', False, 'it can be used twice')
    except Exception as e:
        report('fd-once', 'not found' in str(e), e)

    pages = Elf(dump(guest, directory, 'paging', paging=True))
    check_notes('paging', pages.notes, info)
    if wide:
        # the kernel does not map what the firmware's tables are in
        check_memory('paging', [l for l in pages.load if l[0] >= KERNEL], pages.data, ram, [(0, 0xa0000), (0xc0000, RAM)], RAM - 0x20000)
        check_gdb(guest, directory)
    else:
        bad = [hex(va) for va, pa, size, _, at in pages.load if pages.data[at:at + size] != ram[pa:pa + size]]
        report('paging-memory', len(pages.load) > 10 and not bad, bad[:5])
    wrong = [hex(va) for va, pa, _, _, _ in pages.load[::len(pages.load) // 40 + 1]
             if va >= KERNEL and physical(guest, va) != pa]
    report('paging-addresses', not wrong, wrong)

    for codec in CODECS:
        data = dump(guest, directory, 'kdump-raw-' + codec, format='kdump-raw-' + codec)
        report(codec, data[:8] == b'KDUMP   ')
        check_kdump(codec, data, ram, codec)
        dump(guest, directory, 'kdump-' + codec, format='kdump-' + codec)
    check_makedumpfile(directory)

    guest.command('cont')
    guest.events.clear()
    guest.command('dump-guest-memory', paging=False, protocol='file:%s/detached' % directory, detach=True)
    done = guest.event('DUMP_COMPLETED')['data']['result']
    status = guest.command('query-dump')
    report('detached', done['status'] == status['status'] == 'completed' and done['completed'] == done['total'] == RAM - 0x20000 and
           os.path.getsize(directory + '/detached') == len(elf.data), (done, status))
    report('goes-on', guest.command('query-status')['running'])


if os.environ.get('DUMP_KEEP'):
    main(os.environ['DUMP_KEEP'])
else:
    with tempfile.TemporaryDirectory() as temporary:
        main(temporary)
sys.exit(failed)

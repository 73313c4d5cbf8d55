#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# snapshot.sh - a booted kernel that works is written to a file and goes on in another process, on each machine and with
# several CPUs: its checksums, its timers and its shell know nothing of it. What is no snapshot is refused.
# timeout: 400
. "$(dirname "$0")/lib.sh"
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || { echo "no kernel"; exit 77; }
QUERN=$QUERN "$ROOT/test/shell-initramfs" amd64 "$TMP/shell.img" || exit 1

cat > "$TMP/drive.py" <<'END'
import os, re, socket, subprocess, sys, time

quern, kernel, initrd, tmp, machine = sys.argv[1:6]
extra = sys.argv[6:]
base = [quern, '-M', machine, '-m', '256', '-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0 quiet',
        '-display', 'none', '-no-reboot', '-serial', 'stdio', *extra]

class Guest:
    def __init__(self, *more):
        self.p = subprocess.Popen(base + list(more), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seen = b''
    def until(self, pattern):
        while not (m := re.search(pattern, self.seen)):
            got = os.read(self.p.stdout.fileno(), 65536)
            if not got:
                sys.exit(f'ended with {self.p.wait()}, waiting for {pattern}: {self.seen[-500:]}')
            self.seen += got
        self.seen = self.seen[m.end():]
        return m
    def say(self, text):
        self.p.stdin.write(text.encode() + b'\r')
        self.p.stdin.flush()

mon = f'{tmp}/mon-{machine}-{extra[-1]}'
snap = tmp + '/snap'
a = Guest('-monitor', f'unix:{mon},server=on,wait=off')
a.until(rb'\[quern\]# ')
# work that goes on: each line depends on the one before, and sleeps in between need timers
a.say('s=seed; i=0; while [ $i -lt 40 ]; do s=$(echo $s $i | md5sum | cut -c1-32); i=$((i+1)); echo "step-$i" $s; '
      '[ $((i % 8)) = 0 ] && sleep 0.1; done; echo all-"done" $s')
a.until(rb'step-10 [0-9a-f]{32}')
m = socket.socket(socket.AF_UNIX)
m.connect(mon)
m.sendall(f'migrate file:{snap}\n'.encode())
m.sendall(b'info migrate\n')
got = b''
while b'Migration status' not in got:
    got += m.recv(65536)
if b'Migration status: completed' not in got:
    sys.exit(f'migrate says {got}')
b = Guest('-incoming', f'file:{snap}')
first = b.until(rb'all-done ([0-9a-f]{32})').group(1)
b.until(rb'\[quern\]# ')
m.sendall(b'cont\n')
second = a.until(rb'all-done ([0-9a-f]{32})').group(1)
if first != second:
    sys.exit(f'{first} in the machine that was loaded, {second} in the one that was saved')
# a process started by what runs there, the clock, the log
b.say('dmesg | grep -ciE "warning|lockup|unstable|stuck|rcu.*stall"; sleep 0.2; uname -s; poweroff -f')
n = b.until(rb'\n(\d+)\r').group(1)
if n != b'0':
    sys.exit(f'{n} bad lines in the log after loading')
b.until(rb'Linux\r')
if b.p.wait(60):
    sys.exit(f'status {b.p.returncode}')
a.p.kill()
END

for machine in pc q35 microvm; do
	for cpus in 1 4; do
		[ $machine != q35 ] || [ $cpus = 1 ] || continue
		check "$machine-smp$cpus" timeout 90 python3 "$TMP/drive.py" "$QUERN" "$kernel" "$TMP/shell.img" "$TMP" $machine -smp $cpus
	done
done

# What is no snapshot, or one of another machine.
refuse() {
	local name=$1 text=$2
	shift 2
	timeout 20 "$QUERN" -kernel "$kernel" -display none -m 256 "$@" > "$TMP/out" 2>&1 < /dev/null
	local status=$?
	if [ $status = 1 ] && [ "$(wc -l < "$TMP/out")" = 1 ] && grep -q "$text" "$TMP/out"; then ok "$name"; else fail "$name" "status $status: $(cat "$TMP/out")"; fi
}
head -c 100000 "$TMP/snap" > "$TMP/short"
refuse missing "cannot open snapshot" -incoming "file:$TMP/nothing"
refuse not-one "no snapshot" -incoming "file:$kernel"
refuse truncated "ends too soon" -M microvm -smp 4 -incoming "file:$TMP/short"
refuse other-memory "same options" -M microvm -smp 4 -m 128 -incoming "file:$TMP/snap"
refuse other-cpus "same options" -M microvm -smp 2 -incoming "file:$TMP/snap"
refuse other-machine "same options" -M q35 -smp 4 -incoming "file:$TMP/snap"
refuse no-scheme "not built yet" -incoming rdma:0:4444

# Going back in time under a disk that does not is refused.
truncate -s 1M "$TMP/disk"
printf 'savevm %s/v\nquit\n' "$TMP" | timeout 20 "$QUERN" -S -kernel "$kernel" -display none -serial none -monitor stdio \
	-drive "file=$TMP/disk,format=raw,if=virtio" > "$TMP/out" 2>&1
if grep -q "Error: Device .* is writable but does not support snapshots" "$TMP/out" && [ ! -e "$TMP/v" ]; then ok writable-disk; else fail writable-disk "$(cat "$TMP/out")"; fi
printf 'savevm %s/v\nquit\n' "$TMP" | timeout 20 "$QUERN" -S -kernel "$kernel" -display none -serial none -monitor stdio \
	-drive "file=$TMP/disk,format=raw,if=virtio,readonly=on" > "$TMP/out" 2>&1
if ! grep -q Error "$TMP/out" && [ -s "$TMP/v" ]; then ok readonly-disk; else fail readonly-disk "$(cat "$TMP/out")"; fi
finish

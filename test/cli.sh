#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cli.sh - what the program says and how it exits: versions, help, mistakes, unreadable files, signals, terminals.
# quick
# timeout: 120
. "$(dirname "$0")/lib.sh"

ln -s "$QUERN" "$TMP/qemu-system-x86_64"
ln -s "$QUERN" "$TMP/qemu-system-i386"
QEMU=$TMP/qemu-system-x86_64
cd "$TMP" || exit 1

# says NAME STATUS PATTERN COMMAND...: one run, its exit status, and a line of its output.
says() {
	local name=$1 want=$2 pattern=$3 status
	shift 3
	timeout 20 "$@" > out 2>&1 < /dev/null
	status=$?
	if [ $status != "$want" ]; then
		fail "$name" "exit status $status, not $want: $(tail -n1 out)"
	elif [ -n "$pattern" ] && ! grep -qE -- "$pattern" out; then
		fail "$name" "no line matches '$pattern': $(tail -n1 out)"
	else
		ok "$name"
	fi
}
# refused NAME PATTERN ARGUMENT...: exit status 1 and exactly one line.
refused() {
	local name=$1 pattern=$2
	shift 2
	says "$name" 1 "^quern: .*$pattern" "$QUERN" "$@"
	[ "$(wc -l < out)" = 1 ] || fail "$name-one-line" "$(wc -l < out) lines"
}

says version-qemu 0 '^QEMU emulator version [0-9]+\.[0-9]+' "$QEMU" -version
[[ $(head -n1 out) =~ ^QEMU\ emulator\ version\ [0-9]+\.[0-9]+ ]] && ok version-first-line || fail version-first-line "$(head -n1 out)"
says version-quern 0 'QEMU emulator version [0-9]+\.[0-9]+' "$QUERN" --version
says help 0 'QEMU' "$QEMU" --help
says help-quern 0 '^  -kernel FILE' "$QUERN" -h
says machine-help 0 '^pc .*\(default\)' "$QEMU" -machine help
grep -q '^q35 ' out && grep -q '^microvm ' out && ok machine-help-all || fail machine-help-all "$(cat out)"
says machine-help-mark 0 '^pc ' "$QEMU" -M '?'
says machine-options 0 '^  hpet=' "$QEMU" -M 'pc,?'
says cpu-help 0 '^x86 max' "$QEMU" -cpu help
says device-help 0 'name "isa-debug-exit"' "$QEMU" -device help
grep -q 'name "pc-testdev"' out && grep -q 'name "pci-testdev"' out && ok device-help-testdevs || fail device-help-testdevs "$(cat out)"
says device-options 0 '^  iobase=' "$QEMU" -device isa-debug-exit,help
says accel-help 0 '^tcg$' "$QEMU" -accel help
says chardev-help 0 '^  testdev' "$QEMU" -chardev help
says object-help 0 'creatable' "$QEMU" -object help
says netdev-help 0 'netdev' "$QEMU" -netdev help
says log-help 0 '^guest_errors' "$QEMU" -d help
says trace-help 0 '\.' "$QEMU" -trace help
says firmware-dirs 0 '^/some/dir$' "$QEMU" -L /some/dir -L help
says cflags 0 "-I.*include" "$QUERN" --cflags
says doc-list 0 '^crc ' "$QUERN" doc
says doc-page 0 'CTL_START' "$QUERN" doc crc
says doc-header 0 '^#define CRC_CTL' "$QUERN" doc --c-header crc
says doc-check 0 '^device crc: the tables are sound' "$QUERN" doc --check crc
says doc-all 0 '' "$QUERN" doc --all pages
check doc-all-pages test "$(ls pages | wc -l)" = $(($("$QUERN" doc | wc -l) + 1))
check doc-all-linked test "$(grep -o '([^)]*\.md)' pages/index.md | tr -d '()' | sort)" = "$(ls pages | grep -vx index.md | sort)"
# a table's last cell is its text
check doc-all-texts sh -c '! grep -nE "\| +\|$" pages/*.md | grep -v "| |$"'
says doc-all-crc 0 '^. 008 . .status. . 32 .*1 clears 0x6.*ST_DONE 0x2' cat pages/crc.md
says doc-all-where 1 "could not make the directory 'no/where'" "$QUERN" doc --all no/where
says doc-all-alone 1 'usage' "$QUERN" doc --all
says doc-unknown 1 "there is no device 'nosuch'" "$QUERN" doc nosuch
says doc-usage 1 'usage' "$QUERN" doc a b c
says initramfs-usage 0 'gen_init_cpio|DESCRIPTION' "$QUERN" initramfs -h

# Firmware that only halts is enough for a machine that runs: cli; hlt; jmp back, at the reset vector of a 64 KiB image.
head -c 65520 /dev/zero > halt.bin
printf '\xfa\xf4\xeb\xfd\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90' >> halt.bin

refused unknown-option "-kernle: invalid option, did you mean '-kernel'" -kernle x
refused missing-argument "-kernel: an argument is missing" -kernel
refused positional "could not open 'disk.img': No such file" disk.img -bios halt.bin
refused no-kernel "there is nothing to boot"
refused append-alone "-append only allowed with -kernel option" -append x
refused initrd-alone "-initrd only allowed with -kernel option" -initrd x
refused kernel-missing "could not open kernel file 'nofile': No such file" -kernel nofile
head -c 100000 /dev/zero > zeros
refused kernel-garbage "could not load kernel 'zeros'" -kernel zeros
cp zeros zeros.so
mkdir dir
refused kernel-directory "kernel.*dir" -kernel dir
if [ "$(id -u)" != 0 ]; then
	touch secret && chmod 0 secret
	refused kernel-unreadable "could not open kernel file 'secret'" -kernel secret
fi
refused bios-missing "could not find firmware 'nofile'" -bios nofile
refused bios-empty "firmware '/dev/null' is empty" -bios /dev/null
refused machine-unknown "-machine nosuch: unsupported machine type" -machine nosuch -kernel zeros
refused memory-text "'12Q' is not a size" -m 12Q
refused memory-none "a machine without memory" -m 0
refused smp-many "SMP CPUs" -smp 256
refused smp-zero "cpus=0" -smp 0
refused kvm-alone "kvm is not built yet" -enable-kvm -kernel zeros
refused accel-unknown "-accel nosuch: invalid accelerator" -accel nosuch -kernel zeros
refused mon-unknown "-mon: there is no chardev 'c'" -bios halt.bin -mon c
refused icount "not built yet" -icount shift=1 -kernel zeros
refused drive "if=floppy is not built yet" -drive file=x,if=floppy -bios halt.bin
refused drive-missing "could not open 'x': No such file" -drive file=x -bios halt.bin
refused qmp "'nonsense' is none of stdio" -qmp nonsense
refused netdev "no network back end" -netdev nosuch,id=n
refused netdev-vde "not built yet" -netdev vde,id=n
refused hostfwd-form "nvalid host forwarding rule 'x'" -netdev user,id=n,hostfwd=x -bios halt.bin
# clients try another port when they read this
refused hostfwd-taken "ould not set up host forwarding rule 'tcp:127.0.0.1:7878-:22'" -bios halt.bin \
	-netdev user,id=n,hostfwd=tcp:127.0.0.1:7878-:22 -netdev user,id=m,hostfwd=tcp:127.0.0.1:7878-:22
refused netdev-key "'nosuch'" -netdev user,id=n,nosuch=1 -bios halt.bin
refused netdev-twice "Duplicate ID 'n'" -netdev user,id=n -netdev user,id=n -bios halt.bin
refused netdev-missing "'nosuch'" -device virtio-net,netdev=nosuch -bios halt.bin
refused object "no objects of type" -object nonsense,id=r
refused display "graphical displays are not built yet" -display gtk
refused dfilter "not built yet" -dfilter 0x1000+0x10
refused serial "none of stdio" -serial nosuch
refused chardev-id "id=... is missing" -chardev null
refused chardev-unknown "-chardev: 'nosuch' is not a character back end" -chardev nosuch,id=c -bios halt.bin
refused chardev-hub "-chardev: the character back end 'hub' is not built yet" -chardev hub,id=c -bios halt.bin
refused config-missing "nofile" -readconfig nofile
printf '[machine]\ntype = "nosuch"\n' > config
refused config-machine "-machine nosuch: unsupported" -readconfig config -kernel zeros
says accel-list 1 '-accel hvf: not built yet: trying the next one' "$QUERN" -accel kvm -accel hvf -accel tcg -kernel nofile
grep -q "could not open kernel file 'nofile'" out && ok accel-list-goes-on || fail accel-list-goes-on "$(cat out)"

# image FILE BYTES: firmware with this code at F000:0000.
image() {
	{ printf "$2"; head -c 65520 /dev/zero; } | head -c 65520 > "$1"
	printf '\xea\x00\x00\x00\xf0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00' >> "$1"
}
# "OK\r\n" to the first serial port, 5 to port 0xf4, hlt.
image ok.bin '\xba\xf8\x03\xb0O\xee\xb0K\xee\xb0\r\xee\xb0\n\xee\xb0\x05\xe6\xf4\xf4\xeb\xfd'
# lidt [0]; int3: with the empty table, a triple fault.
image triple.bin '\x31\xc0\x8e\xd8\x0f\x01\x1e\x00\x10\xcc\xf4\xeb\xfd'

# wait_for FILE PATTERN
wait_for() {
	for _ in $(seq 100); do
		grep -qE -- "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}

run=("$QUERN" -bios halt.bin -display none -pidfile pid)
for signal in TERM INT HUP; do
	rm -f pid
	# Not `&` directly: a shell's background jobs ignore SIGINT.
	python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
		"${run[@]}" > out 2>&1 < /dev/null &
	pid=$!
	wait_for pid "^$pid$" || fail "pidfile-$signal" "no pid file: $(cat out)"
	kill -$signal $pid
	wait $pid
	status=$?
	if [ $status = 0 ] && grep -qE "^quern: terminating on signal $(kill -l $signal) from pid $$ \(" out; then
		ok "signal-$signal"
	else
		fail "signal-$signal" "status $status: $(cat out)"
	fi
	[ -e pid ] && fail "pidfile-removed-$signal" "it is still there"
done

# Powered off but kept: the machine stands still until a signal ends it.
"$QUERN" -bios triple.bin -display none -no-reboot -no-shutdown > out 2>&1 < /dev/null &
pid=$!
sleep 1
if kill -0 $pid 2>/dev/null; then ok no-shutdown; else fail no-shutdown "it has ended: $(cat out)"; fi
kill $pid
wait $pid
[ $? = 0 ] && ok no-shutdown-ends || fail no-shutdown-ends "status is not 0"

rm -f pid
check daemonize "${run[@]}" -daemonize
pid=$(cat pid 2>/dev/null)
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then ok daemon-runs; else fail daemon-runs "pid '$pid'"; fi
says pidfile-locked 1 "is another running emulator's" "$QUERN" -bios halt.bin -display none -pidfile pid
kill "$pid" 2>/dev/null
for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
if kill -0 "$pid" 2>/dev/null; then fail daemon-ends "still there"; kill -9 "$pid"; else ok daemon-ends; fi
says daemonize-fails 1 'could not open' "$QUERN" -daemonize -display none -serial file:/nonexistent/x -bios halt.bin

debug_exit=(-device isa-debug-exit,iobase=0xf4,iosize=0x4)
printf 'OK\r\n' > want

says debug-exit 11 '^OK' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial stdio
same serial-stdio out want
says kunit-streams 11 '^OK' "$QEMU" -nodefaults -nographic -serial stdio -bios ok.bin "${debug_exit[@]}"
same kunit-streams-only out want
says nographic 11 '^OK' "$QEMU" -nographic -bios ok.bin "${debug_exit[@]}"
same nographic-only out want
says default-is-console 11 '^OK' "$QUERN" -bios ok.bin "${debug_exit[@]}"
says mux-chardev 11 '^OK' "$QEMU" -bios ok.bin "${debug_exit[@]}" -display none -chardev stdio,id=console,signal=off,mux=on \
	-serial chardev:console -mon chardev=console
says stderr-chardev 11 '^OK' "$QEMU" -bios ok.bin "${debug_exit[@]}" -display none -chardev file,path=/proc/self/fd/2,id=c -serial chardev:c
says serial-file 11 '' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial file:serial
same serial-file-content serial want
says serial-dev-stdout 11 '^OK' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial file:/dev/stdout
says second-serial 11 '' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial null -serial file:serial
[ -s serial ] && fail second-serial-silent "$(cat serial)" || ok second-serial-silent
says log-file 11 '^OK' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -chardev stdio,id=c,logfile=log -serial chardev:c
same log-file-content log want
"$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial stdio < /dev/null | cat > out
same serial-pipe out want
"$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial stdio <&- > out
same serial-no-stdin out want
# "!" to port 0xe9, 1 to port 0x505 (panic), hlt.
image panic.bin '\xb0!\xe6\xe9\xba\x05\x05\xb0\x01\xee\xf4\xeb\xfd'
says panic-shutdown 0 '' "$QUERN" -bios panic.bin -device pvpanic -display none -debugcon file:debugcon
printf '!' > want
same debugcon debugcon want
says panic-failure 1 '' "$QUERN" -bios panic.bin -device pvpanic -display none -action panic=exit-failure -debugcon null
says triple-fault 0 '' "$QUERN" -bios triple.bin -display none -no-reboot
says trace 11 '^OK' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial stdio -trace 'memory_region_ops_*' -D trace.log
[ -s trace.log ] && ok trace-file || fail trace-file "it is empty"
says trace-nothing 11 "warning: -trace nosuch.* selects nothing" "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -trace 'nosuch*'
says fault-help 0 '^crc.stuck$' "$QUERN" -fault help
says fault-nothing 11 "warning: -fault nosuch.x selects nothing" "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -fault nosuch.x
says fault-unknown 1 "crc0.* has no fault point .sttaus.read." "$QUERN" -bios ok.bin -display none -device crc -fault crc0.sttaus.read
says fault-wrong 1 "-fault crc0.stuck,times=x" "$QUERN" -bios ok.bin -display none -fault crc0.stuck,times=x

says sandbox 11 '^OK' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial stdio -smp 2 \
	-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny

# A device outside of the tree.
if command -v "${CC:-cc}" > /dev/null; then
	sed 's/\bcrc\b/sum/g; s/crc_/sum_/g' "$ROOT/dev/pci/crc.c" > sum.c
	check build-device "${CC:-cc}" -Wall -Wextra -Werror $("$QUERN" --cflags) -shared -fPIC sum.c -o sum.so
	says load-device 11 '^OK' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial stdio -device ./sum.so,id=s0,latency=7
	says load-device-help 0 '  latency=' "$QUERN" -device ./sum.so,help
	says doc-device-file 0 '^sum - ' "$QUERN" doc ./sum.so
	says load-twice 11 '^OK' "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none -serial stdio -device ./sum.so -device ./sum.so
fi
refused load-missing "could not load './nosuch.so'" -device ./nosuch.so -kernel zeros -bios ok.bin
refused load-garbage "could not load './zeros.so'" -device ./zeros.so -bios ok.bin
says global 11 "kvm-pit.lost_tick_policy=discard has no effect" "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none \
	-global kvm-pit.lost_tick_policy=discard
# The machine's own devices are reached, too.
refused global-board "-global hpet.timers=99: property 'timers' cannot be 99" -bios ok.bin -global hpet.timers=99
refused global-unknown "-global hpet.nosuch=1: .*no property 'nosuch'" -bios ok.bin -global driver=hpet,property=nosuch,value=1
says global-absent 11 "-global ICH9-LPC.disable_s3=1 has no effect: .* in this machine" "$QUERN" -bios ok.bin "${debug_exit[@]}" -display none \
	-global ICH9-LPC.disable_s3=1
says global-silent 11 '' "$QUERN" -M q35 -bios ok.bin "${debug_exit[@]}" -display none -global ICH9-LPC.disable_s3=1
[ -s out ] && fail global-silent-words "$(cat out)" || ok global-silent-words

# Terminals: each row is keys or a signal, then the exit status; the mode must be as before.
cat > term.py <<'END'
import fcntl, os, pty, select, signal, subprocess, sys, termios, time

def run(arguments, keys=b'', sig=None, stop=False):
	master, slave = pty.openpty()
	before = termios.tcgetattr(slave)
	p = subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
			     preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
	for _ in range(100):
		if termios.tcgetattr(slave) != before:
			break
		time.sleep(0.05)
	raw = termios.tcgetattr(slave)
	notes = [] if raw != before else ['never raw']
	time.sleep(0.2)
	if stop:
		p.send_signal(signal.SIGTSTP)
		time.sleep(0.5)
		notes += [] if termios.tcgetattr(slave) == before else ['raw while stopped']
		p.send_signal(signal.SIGCONT)
		time.sleep(0.5)
		notes += [] if termios.tcgetattr(slave) == raw else ['not raw again']
	os.write(master, keys)
	if sig:
		p.send_signal(sig)
	out = b''
	end = time.time() + 15
	while p.poll() is None and time.time() < end:
		if select.select([master], [], [], 0.1)[0]:
			out += os.read(master, 4096)
	if p.poll() is None:
		p.kill()
		notes.append('hangs')
	while select.select([master], [], [], 0)[0]:
		out += os.read(master, 4096)
	if termios.tcgetattr(slave) != before:
		notes.append('mode not restored')
	if fcntl.fcntl(slave, fcntl.F_GETFL) & os.O_NONBLOCK:
		notes.append('O_NONBLOCK left')
	return p.wait(), out, notes

base = [sys.argv[1], '-bios', 'halt.bin']
for name, more, keys, sig, stop, status, text in [
	('quit-key', ['-nographic'], b'\x01x', None, False, 0, b''),
	('help-key', ['-nographic'], b'\x01h\x01x', None, False, 0, b'this help'),
	('monitor-key', ['-nographic'], b'\x01c\x01x', None, False, 0, b'(qemu) '),
	('other-escape', ['-nographic', '-echr', '2'], b'\x01x\x02x', None, False, 0, b''),
	('mon-stdio', ['-serial', 'mon:stdio', '-display', 'none'], b'\x01x', None, False, 0, b''),
	('ctrl-c-is-the-guests', ['-nographic'], b'\x03\x03\x01x', None, False, 0, b''),
	('ctrl-c-ends', ['-serial', 'stdio', '-display', 'none'], b'\x03', None, False, 0, b'terminating on signal 2'),
	('term', ['-nographic'], b'', signal.SIGTERM, False, 0, b'terminating on signal 15 from pid'),
	('hup', ['-nographic'], b'', signal.SIGHUP, False, 0, b'terminating on signal 1 '),
	('quit', ['-nographic'], b'', signal.SIGQUIT, False, -3, b''),
	('abort', ['-nographic'], b'', signal.SIGABRT, False, -6, b''),
	('segv', ['-nographic'], b'', signal.SIGSEGV, False, -11, b''),
	('stop', ['-nographic'], b'\x01x', None, True, 0, b''),
]:
	got, out, notes = run(base + more, keys, sig, stop)
	if got != status:
		notes.append('status %d, not %d' % (got, status))
	if text not in out:
		notes.append('%r is not in %r' % (text, out))
	print('FAIL terminal-%s: %s' % (name, '; '.join(notes)) if notes else 'ok terminal-%s' % name, flush=True)
END
ulimit -c 0
python3 term.py "$QUERN" > term.out 2>&1 || echo "FAIL terminal: $(tail -n1 term.out)" >> term.out
cat term.out
grep -q '^FAIL ' term.out && FAILED=1

finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exit.sh - how a machine ends and with what status: debug exit, reset by every way, panics and what -action makes of them,
# shutdown, triple fault, SIGTERM, Ctrl-a x; with multiboot guests of a few instructions, then with Linux.
# timeout: 900
. "$(dirname "$0")/lib.sh"
export QUERN
fetch=$ROOT/tools/fetch-kernel
cd "$TMP"

# ---- guests of a few instructions

# A multiboot kernel at 1 MiB, its header 32 bytes long, entry and code behind it; six zero bytes (an empty IDT) at +0x1f0.
# guest FILE HEX...: the hexadecimal bytes of the code.
guest() {
	local file=$1
	shift
	python3 - "$file" "$*" <<'END'
import struct, sys
code = bytes.fromhex(sys.argv[2])
magic, flags, at = 0x1BADB002, 0x10000, 0x100000
head = struct.pack("<8I", magic, flags, -(magic + flags) & 0xffffffff, at, at, 0, 0, at + 32)
open(sys.argv[1], "wb").write((head + code).ljust(512, b"\0"))
END
}
# print CHARACTER: the code that writes it to the first serial port.
print() { printf 'ba f8 03 00 00 b0 %02x ee ' "'$1"; }
outb() { printf 'ba %02x %02x 00 00 b0 %02x ee ' $(($1 & 255)) $(($1 >> 8)) "$2"; }
stay=" fa f4 eb fc"
break_cpu=" 0f 01 1d f0 01 10 00 cc"

# ends NAME STATUS STDERR GUEST ARGUMENT...: STDERR is a regular expression for all that was said, empty for nothing.
ends() {
	local name=$1 want=$2 text=$3 kernel=$4 status
	shift 4
	timeout -k 5 60 "$QUERN" -kernel "$kernel" -display none -serial file:serial -monitor none "$@" > out 2> err < /dev/null
	status=$?
	if [ $status != "$want" ]; then
		fail "$name" "status $status, not $want"; cat err
	elif [[ ! $(tr '\n' '~' < err) =~ ^($text)$ ]]; then
		fail "$name" "unexpected words: $(cat err)"
	else
		ok "$name"
	fi
}

exit_port="-device isa-debug-exit,iobase=0xf4,iosize=0x4"
guest exit-21.bin "$(outb 0xf4 0x21)" "$stay"
guest exit-0.bin "$(outb 0xf4 0)" "$stay"
guest exit-long.bin "ba f4 00 00 00 b8 11 00 00 00 ef" "$stay"
ends debug-exit 67 "" exit-21.bin $exit_port
ends debug-exit-0 1 "" exit-0.bin $exit_port
ends debug-exit-long 35 "" exit-long.bin $exit_port
ends debug-exit-microvm 67 "" exit-21.bin -M microvm $exit_port

guest triple.bin "$(print T)" "$break_cpu"
ends triple-fault 0 "" triple.bin -no-reboot
check triple-fault-ran grep -qx T serial
ends triple-fault-action 0 "" triple.bin -action reboot=shutdown
ends triple-fault-log 0 ".*triple fault at [0-9a-f]+:0x10002f .*~" triple.bin -no-reboot -d guest_errors

guest kbd.bin "$(outb 0x64 0xfe)" "$stay"
guest port92.bin "$(outb 0x92 3)" "$stay"
guest cf9.bin "$(outb 0xcf9 2)$(outb 0xcf9 6)" "$stay"
for machine in pc q35; do
	for way in kbd port92 cf9; do
		ends "reset-$way-$machine" 0 "" $way.bin -M $machine -no-reboot
	done
done

# A guest that panics, and says so on the debug exit when it is let go on.
guest panic.bin "$(outb 0x505 1)$(print P)$(outb 0xf4 0x10)" "$stay"
ends panic-default 0 "" panic.bin -device pvpanic $exit_port
ends panic-shutdown 0 "" panic.bin -device pvpanic $exit_port -action panic=shutdown
ends panic-exit-failure 1 "" panic.bin -device pvpanic $exit_port -action panic=exit-failure
ends panic-none 33 "" panic.bin -device pvpanic $exit_port -action panic=none
check panic-none-goes-on grep -qx P serial

# PM1a control of the PIIX4: sleep type 0 is S5.
guest off.bin "$(print S)" "66 ba 04 06 66 b8 00 20 66 ef" "$stay"
ends power-off 0 "" off.bin -M pc

# talks NAME STATUS STDERR SCRIPT GUEST ARGUMENT...: with somebody at the console.
talks() {
	local name=$1 want=$2 text=$3 script=$4 kernel=$5 status
	shift 5
	printf '%b' "$script" > script
	"$ROOT/test/console.py" --timeout 300 --log serial script -- "$QUERN" -kernel "$kernel" -nographic "$@" > out 2> err
	status=$?
	if [ $status != "$want" ]; then
		fail "$name" "status $status, not $want"; cat out err; tail -n 20 serial | sed "s,^,    ,"
	elif [[ ! $(tr '\n' '~' < err) =~ ^($text)$ ]]; then
		fail "$name" "unexpected words: $(cat err)"; cat out
	else
		ok "$name"
	fi
}
killed='[a-z]*: terminating on signal 15 from pid [0-9]+ \(.*python3.*\)~'
guest stay.bin "$(print S)" "$stay"
talks sigterm 0 "$killed" '! S\n<SIGTERM>\n' stay.bin
talks ctrl-a-x 0 "" '! S\n<C-a>x\n' stay.bin
# Without -no-reboot it starts anew, again and again.
talks triple-fault-resets 0 "$killed" '! TTTTTTTT\n<SIGTERM>\n' triple.bin
# Paused is not ended: it takes a signal.
talks no-shutdown 0 "$killed" '! S\n<SIGTERM>\n' off.bin -no-shutdown
talks shutdown-pause 0 "$killed" '! S\n<SIGTERM>\n' off.bin -action shutdown=pause
guest panic-pause.bin "$(print S)$(outb 0x505 1)$(outb 0xf4 0x10)" "$stay"
talks panic-pause 0 "$killed" '! S\n<SIGTERM>\n' panic-pause.bin -device pvpanic $exit_port -action panic=pause

# ---- Linux
cloud=$("$fetch" linux-image-cloud-amd64) || exit 1
modules=$(echo "$(dirname "$cloud")"/../lib/modules/*/kernel/drivers/misc/pvpanic)
"$ROOT/test/shell-initramfs" amd64 shell.img "file /pvpanic.ko $modules/pvpanic.ko 644 0 0" \
	"file /pvpanic-mmio.ko $modules/pvpanic-mmio.ko 644 0 0" || exit 1

linux() {
	local name=$1 want=$2 script=$3 append=$4
	shift 4
	talks "linux-$name" "$want" "" "$script" "$cloud" -m 512 -initrd shell.img -append "console=ttyS0 $append" "$@"
}
for machine in pc microvm; do
	# No /init and no root: the kernel panics, and restarts at once.
	talks "linux-panic-$machine" 0 "" '! Kernel panic - not syncing\n' "$cloud" -M $machine -m 512 -append "console=ttyS0 panic=-1" -no-reboot
done
linux pvpanic-exit-failure 1 '$ insmod /pvpanic.ko; insmod /pvpanic-mmio.ko; lsmod | grep -c ^pvpanic_mmio\n1\n$ echo c > /proc/sysrq-trigger\n! Kernel panic\n' \
	"" -device pvpanic -action panic=exit-failure
linux triple-fault 0 '$ reboot -f\n! machine restart\n' reboot=t -no-reboot
for machine in pc q35 microvm; do
	linux "reboot-$machine" 0 '$ echo $((6 * 7))\n42\n$ reboot -f\n! Linux version\n$ poweroff -f\n' panic=-1 -M $machine
done
linux reboot-smp 0 '$ nproc\n2\n$ reboot -f\n! Linux version\n$ poweroff -f\n' panic=-1 -smp 2
finish

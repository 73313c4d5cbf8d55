#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# boot.sh - every distribution kernel on every machine, with one CPU and with four, to an interactive shell: a hundred commands
# through the console whose answers are checked (boot.console), then poweroff and exit status 0. Also the interpreter alone, and
# kernels that decompress and place themselves.
# timeout: 3000
. "$(dirname "$0")/lib.sh"
export QUERN
fetch=$ROOT/tools/fetch-kernel
cloud=$("$fetch" linux-image-cloud-amd64) || exit 1
amd64=$("$fetch" linux-image-amd64) || exit 1
pae=$("$fetch" --arch i386 linux-image-686-pae) || exit 1
trixie=$("$fetch" --suite trixie linux-image-amd64) || exit 1
"$ROOT/test/shell-initramfs" amd64 "$TMP/x86_64.img" || exit 1
"$ROOT/test/shell-initramfs" i386 "$TMP/i686.img" || exit 1

# boots NAME SCRIPT ARCH CPUS KERNEL ARGUMENT...: the shell answers all of SCRIPT as it should, and the machine switches itself off.
boots() {
	local name=$1 script=$2 arch=$3 smp=$4 kernel=$5 status online=0
	shift 5
	[ "$smp" = 1 ] || online=0-$((smp - 1))
	"$ROOT/test/console.py" --log "$TMP/$name.log" --timeout 300 --set "SMP=$smp" --set "ONLINE=$online" --set "ARCH=$arch" \
		"$ROOT/test/$script" -- "$QUERN" -m 512 -smp "$smp" -kernel "$kernel" -initrd "$TMP/$arch.img" \
		-append "console=ttyS0 panic=-1" -nographic -no-reboot "$@" > "$TMP/$name.out" 2>&1
	status=$?
	cat "$TMP/$name.out"
	if [ $status = 0 ]; then ok "$name"; else fail "$name" "status $status"; tail -n 40 "$TMP/$name.log" | cut -c 1-300 | sed "s,^,    ,"; fi
}

for smp in 1 4; do
	for machine in pc q35 microvm; do
		boots "cloud-$machine-$smp" boot.console x86_64 $smp "$cloud" -M $machine
		boots "amd64-$machine-$smp" boot.console x86_64 $smp "$amd64" -M $machine
		boots "trixie-$machine-$smp" boot.console x86_64 $smp "$trixie" -M $machine
		[ $machine = microvm ] || boots "686-pae-$machine-$smp" boot.console i686 $smp "$pae" -M $machine
	done
done

# The interpreter alone: what it says is what the translator is measured by.
boots interpreter boot-short.console x86_64 1 "$cloud" -accel tcg,tier=0
# The kernel's own decompressor, which also chooses where the kernel lies.
boots guest-decompression boot-short.console x86_64 1 "$cloud" -M microvm,kernel-decompress=guest
boots guest-decompression-pae boot-short.console i686 2 "$pae" -M pc,kernel-decompress=guest
finish

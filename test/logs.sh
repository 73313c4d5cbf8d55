#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# logs.sh - the kernel's own log: no warning, lockup, unstable clock or unexpected thing that it does not also report on QEMU, but
# for the reviewed lines of logs.allow. Without a QEMU on this machine only the gravest words are looked for.
# timeout: 1800
. "$(dirname "$0")/lib.sh"
export QUERN
fetch=$ROOT/tools/fetch-kernel
declare -A kernel arch
kernel[cloud]=$("$fetch" linux-image-cloud-amd64) || exit 1
kernel[amd64]=$("$fetch" linux-image-amd64) || exit 1
kernel[trixie]=$("$fetch" --suite trixie linux-image-amd64) || exit 1
kernel[686-pae]=$("$fetch" --arch i386 linux-image-686-pae) || exit 1
cd "$TMP"
"$ROOT/test/shell-initramfs" amd64 amd64.img || exit 1
"$ROOT/test/shell-initramfs" i386 i386.img || exit 1
cat > script <<'END'
$ echo BEGIN-$((40 + 2)); dmesg; echo END-$((40 + 2))
~~
$ poweroff -f
END

# Tells lines apart by their words: times, addresses and counts differ from run to run.
normalise() {
	sed -E 's/^\[ *[0-9]+\.[0-9]+\] //; s/0x[0-9a-fA-F]+/N/g; s/\b[0-9a-f]{8,16}\b/N/g; s/[0-9]+(\.[0-9]+)*/N/g; s/ +/ /g'
}
bad='warn|lockup|unstable|unexpected|\bbug\b|\berror|fail|bogus|invalid|timeout|timed out|time out|unable|cannot|can.t|disabl|mismatch'
bad+='|stall|missing|not found|broken|fall.*back|conflict|ignor|incorrect|corrupt|unknown|\bnot\b|\bno\b|skew|oops|trace|hung|nobody|spurious|fatal'
grave='WARNING|BUG|lockup|unstable|unexpected|stall|Oops|Call Trace|nobody cared|bogus|skew'

# log NAME KERNEL EMULATOR ARGUMENT...: the normalised log into NAME.log.
log() {
	local name=$1 k=$2 image=amd64.img
	shift 2
	[ "$k" = 686-pae ] && image=i386.img
	"$ROOT/test/console.py" --timeout 300 --log "$name.console" script -- "$@" -m 512 -smp 2 -kernel "${kernel[$k]}" -initrd "$image" \
		-append "console=ttyS0 panic=-1" -nographic -no-reboot > "$name.out" 2>&1 || return 1
	tr -d '\r' < "$name.console" | sed -n '/^BEGIN-42/,/^END-42/p' > "$name.raw"
	[ "$(wc -l < "$name.raw")" -gt 100 ] || return 1
	normalise < "$name.raw" > "$name.log"
}

qemu=$(command -v qemu-system-x86_64)
case $("${qemu:-false}" -version 2> /dev/null) in *Quern*) qemu= ;; esac
[ -n "$qemu" ] || skip comparison "qemu-system-x86_64 is not installed"
# Comments are reasons; the lines are extended regular expressions for normalised lines.
grep -v '^#' "$ROOT/test/logs.allow" | grep . > allow
for k in cloud amd64 trixie 686-pae; do
	: > "$k.reference"
	for machine in pc q35; do
		[ -n "$qemu" ] || continue
		if log "qemu-$k-$machine" $k "$qemu" -M $machine -net none; then
			cat "qemu-$k-$machine.log" >> "$k.reference"
		else
			skip "qemu-$k-$machine" "$(tail -n 1 "qemu-$k-$machine.out")"
		fi
	done
	sort -u -o "$k.reference" "$k.reference"
	for machine in pc q35 microvm; do
		name=$k-$machine
		[ $name = 686-pae-microvm ] && continue
		if ! log $name $k "$QUERN" -M $machine; then
			fail $name "it did not run to its end"
			cat $name.out
			continue
		fi
		grep -E "$grave" $name.raw > found
		if [ -s found ]; then fail $name-grave "$(cat found)"; else ok $name-grave; fi
		[ -s $k.reference ] || continue
		grep -iE "$bad" $name.log | sort -u | comm -23 - $k.reference | grep -vxE -f allow > found
		if [ -s found ]; then fail $name "$(cat found)"; else ok $name; fi
	done
done
finish

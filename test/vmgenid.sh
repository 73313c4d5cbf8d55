#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vmgenid.sh - Linux's driver finds the generation ID, put there by the loader and by firmware, and seeds its random numbers anew
# when a machine goes on from a snapshot.
# timeout: 500
. "$(dirname "$0")/lib.sh"
KERNEL=$("$ROOT/tools/fetch-kernel" linux-image-amd64) || exit 1
export QUERN KERNEL
cd "$TMP"
"$ROOT/test/shell-initramfs" amd64 shell.img || exit 1
guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87

# text NAME OPTION...: what is done, for doc-run.py. The GUID is at the address that the guest's ACPI tables tell.
text() {
	local run="\"\$QUERN\" -kernel \"\$KERNEL\" -initrd shell.img -append \"console=ttyS0 quiet\" -m 256 -nographic -no-reboot -net none $*"
	cat <<END
\`\`\`console
$ $run -device vmgenid,guid=$guid -trace 'vmgenid*' -D first
(qemu) info vm-generation-id
$guid
# ls -d /sys/bus/acpi/drivers/vmgenid/QEMUVGID:00
/sys/bus/acpi/drivers/vmgenid/QEMUVGID:00
# dmesg | grep -c 'virtual machine fork'
0
(qemu) savevm vm
(qemu) loadvm vm
# dmesg | grep -c 'virtual machine fork'
0
(qemu) quit
$ $run -device vmgenid,guid=auto -loadvm vm -trace 'vmgenid*' -D second
(qemu) info vm-generation-id
...-...-4...-...-...
# sleep 1; dmesg | grep 'virtual machine fork'
[...random: crng reseeded due to virtual machine fork
# grep -c acpi /proc/interrupts
1
# poweroff -f
\`\`\`
END
}
run() {
	local name=$1
	shift
	text "$@" > text.md
	"$ROOT/test/doc-run.py" --timeout 100 --log log text.md > out 2> err
	status=$?
	if [ $status = 0 ]; then ok "$name"; else fail "$name" "status $status"; cat out err; tail -n 40 log; fi
	check "$name-changed" grep -q 'changed address=0x[1-9a-f]' second
}
run direct-pc -M pc
check direct-place grep -q 'changed address=0x9fe00$' second
cp /usr/share/seabios/bios-256k.bin seabios.bin || exit 1
run firmware-q35 -M q35 -bios seabios.bin
check firmware-told grep -q 'written address=0x[1-9a-f][0-9a-f]*028$' first
"$QUERN" -M microvm -kernel "$KERNEL" -device vmgenid > out 2>&1
check microvm-refused grep -q 'no ACPI events' out
"$QUERN" -kernel "$KERNEL" -device vmgenid,guid=12 > out 2>&1
check bad-guid grep -q "guid=12 is neither auto nor" out
finish

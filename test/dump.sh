#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dump.sh - dump-guest-memory: every format against the guest's memory, with the notes, makedumpfile and gdb; a 64-bit guest whose
# driver tells its VMCOREINFO, a 32-bit one, and one that tells nothing.
# timeout: 600
. "$(dirname "$0")/lib.sh"
export QUERN
fetch=$ROOT/tools/fetch-kernel
cloud=$("$fetch" linux-image-cloud-amd64) || exit 1
pae=$("$fetch" --arch i386 linux-image-686-pae) || exit 1
"$ROOT/test/shell-initramfs" amd64 "$TMP/plain.img" || exit 1

# with_driver ARCH KERNELDIR IMAGE: /init loads the driver that tells where VMCOREINFO lies.
with_driver() {
	local module
	module=$(find "$2/lib/modules" -name qemu_fw_cfg.ko | head -n1)
	[ -n "$module" ] || { echo "no qemu_fw_cfg.ko in $2"; exit 1; }
	"$ROOT/test/shell-initramfs" "$1" "$3" "file /fw.ko $module 644 0 0" || exit 1
	sed -i '/^stty/i insmod /fw.ko' "$3.init"
	"$QUERN" initramfs -o "$3" "$3.list" || exit 1
}
with_driver amd64 "$("$fetch" --dir linux-image-cloud-amd64)" "$TMP/x86_64.img"
with_driver i386 "$("$fetch" --arch i386 --dir linux-image-686-pae)" "$TMP/i686.img"

"$ROOT/test/dump.py" amd64 "$QUERN" "$cloud" "$TMP/x86_64.img" 64 -M q35 -device vmcoreinfo || FAILED=1
"$ROOT/test/dump.py" i686 "$QUERN" "$pae" "$TMP/i686.img" 32 -M pc -device vmcoreinfo || FAILED=1
finish

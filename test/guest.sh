#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# guest.sh - what the emulator knows of the system in the guest is what that system says of itself (guest.py): symbols, tasks, stacks,
# log, modules, and catchpoints; with distribution kernels as they are, wherever they or their loader place them.
# timeout: 900
. "$(dirname "$0")/lib.sh"
export QUERN
fetch=$ROOT/tools/fetch-kernel

# knows NAME KERNEL ARGUMENT...: with the module `dummy` of the kernel's package in the initramfs.
knows() {
	local name=$1 kernel=$2 ko
	shift 2
	ko=$(find "$(dirname "$kernel")/.." -name 'dummy.ko*' | head -n 1)
	case $ko in *.xz) xz -dc "$ko" > "$TMP/dummy.ko" ;; *) cp "$ko" "$TMP/dummy.ko" ;; esac
	"$ROOT/test/shell-initramfs" amd64 "$TMP/$name.img" "file /root/dummy.ko $TMP/dummy.ko 644 0 0"
	timeout 240 "$ROOT/test/guest.py" "$name" "$QUERN" "$kernel" "$TMP/$name.img" dummy "$@" || FAILED=1
}

cloud=$("$fetch" linux-image-cloud-amd64) || exit 1
trixie=$("$fetch" --suite trixie linux-image-amd64) || exit 1
APPEND=pti=on knows cloud-kaslr-isolated "$cloud" -M pc,kaslr=on
knows cloud-decompressed-by-guest "$cloud" -M microvm,kernel-decompress=guest
knows trixie-kaslr "$trixie" -M q35,kaslr=on

# The debug package of the same kernel has its ELF file.
release=$(basename "$cloud" | sed 's/^vmlinuz-//')
if [ -e "$CACHE/bookworm-amd64/linux-image-$release-dbg" ]; then
	debug=$("$fetch" --dir "linux-image-$release-dbg")
	VMLINUX=$(find "$debug/usr/lib/debug/lib" -name vmlinux | head -n 1) knows cloud-without-kallsyms "$cloud" -M pc,kaslr=on
else
	skip cloud-without-kallsyms "tools/fetch-kernel linux-image-$release-dbg was not asked for: it is large"
fi

# A panic that no console told of shows the log's end; one that a console told of does not. There is no root file system.
panics() { timeout 60 "$QUERN" -M q35,kaslr=on -m 256 -kernel "$1" -append "panic=-1 $2" -nographic -no-reboot < /dev/null; }
for kernel in cloud trixie; do
	panics "${!kernel}" '' > "$TMP/out" 2> "$TMP/err"
	check "silent-panic-$kernel" grep -q 'Kernel panic - not syncing: VFS: Unable to mount root fs' "$TMP/err"
	check "silent-panic-$kernel-console" [ ! -s "$TMP/out" ]
	panics "${!kernel}" console=ttyS0 > "$TMP/out" 2> "$TMP/err"
	check "told-panic-$kernel" [ ! -s "$TMP/err" ]
	check "told-panic-$kernel-console" grep -q 'Kernel panic - not syncing' "$TMP/out"
done

pae=$("$fetch" --arch i386 linux-image-686-pae) || exit 1
timeout 120 "$ROOT/test/guest-32bit.py" "$QUERN" "$pae" || FAILED=1
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gdb.sh - Debian's gdb, and its gdb for all architectures, on Debian's kernel and on a program in user space, with two CPUs: the
# sessions below test/gdb. Also 16-bit code, a stub at standard input and output, and a Unix socket.
# timeout: 400
. "$(dirname "$0")/lib.sh"
. "$ROOT/test/gdb/guests.sh" || exit 1

# ---- sessions

# session NAME SCRIPT ARGUMENT...: every answer is as the script says.
session() {
	local name=$1 script=$2
	shift 2
	if "$ROOT/test/gdb-session.py" --log "$TMP/$name.log" --set "QUERN=$QUERN" --set "KERNEL=$kernel" --set "IMG=$TMP/guest.img" \
		--set "PROG=$TMP/guest" --set "start_kernel=$(address start_kernel)" --set "jiffies=$(address jiffies)" \
		--set "linux_banner=$(address linux_banner)" --set "getpid=$(address __x64_sys_getpid)" "$@" "$ROOT/test/gdb/$script" \
		> "$TMP/$name.out" 2>&1; then
		ok "$name"
	else
		fail "$name" "status $?"
		sed 's/^/    /' "$TMP/$name.out"
	fi
}

session real-mode real.gdb --set "BIOS=$TMP/bios.bin"

# The other ways to it: a pipe, and a Unix socket; under QEMU's name there are CPUs alone.
in_gdb() {
	timeout 60 gdb -nx -batch -iex "set debuginfod enabled off" "$@" > "$TMP/gdb.out" 2>&1
}
name="$TMP/qemu-system-x86_64"
ln -s "$QUERN" "$name"
in_gdb -ex "target remote | exec $name -gdb stdio -S -bios $TMP/bios.bin -display none -serial none -monitor none" \
	-ex "info threads" -ex "print/x \$cs" -ex kill
check stdio grep -qx '\* 1    Thread 1.1 (CPU#0 \[running\]) 0x000000000000fff0 in ?? ()' "$TMP/gdb.out"
"$name" -gdb "unix:$TMP/socket,server=on" -S -bios "$TMP/bios.bin" -display none -serial none -monitor none 2> /dev/null &
in_gdb -ex "python import os, time" -ex "python while not os.path.exists('$TMP/socket'): time.sleep(0.01)" \
	-ex "target remote $TMP/socket" -ex "print \$cs" -ex kill
check unix-socket grep -qx '\$1 = 61440' "$TMP/gdb.out"
check unix-socket-kill wait $!

session non-stop nonstop.gdb
session symbols symbols.gdb --set "MODULES=$TMP/modules.img"
session kaslr kaslr.gdb --set "MODULES=$TMP/modules.img" --set "SYMBOLS=$TMP/vmlinux" --set SEED=7
session together together.gdb

# Modules that are installed compressed; the guest has them unpacked.
trixie=$("$ROOT/tools/fetch-kernel" --suite trixie linux-image-amd64) || exit 1
xz -dc "$(find "${trixie%/boot/*}/usr/lib/modules" -name dummy.ko.xz)" > "$TMP/dummy.ko"
sed "s|^file /dummy.ko .*|file /dummy.ko $TMP/dummy.ko 644 0 0|" "$TMP/modules.list" > "$TMP/list"
check trixie-initramfs "$QUERN" initramfs -o "$TMP/trixie.img" "$TMP/list"
session packed packed.gdb --set "TRIXIE=$trixie" --set "IMG=$TMP/trixie.img"
for gdb in gdb gdb-multiarch; do
	if ! command -v $gdb > /dev/null; then
		skip "$gdb" "it is not installed"
		continue
	fi
	session "$gdb-kernel" kernel.gdb --gdb $gdb --set "GDB=$gdb"
	session "$gdb-user" user.gdb --gdb $gdb
done
finish

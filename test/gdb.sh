#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gdb.sh - Debian's gdb, and its gdb for all architectures, on Debian's kernel and on a program in user space, with two CPUs: the
# sessions below test/gdb. Also 16-bit code, a stub at standard input and output, and a Unix socket.
# timeout: 400
. "$(dirname "$0")/lib.sh"
export QUERN
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1

# ---- the guests

gcc -g -O1 -static -nostdlib -no-pie -fno-stack-protector -fcf-protection=none -o "$TMP/guest" "$ROOT/test/gdb/guest.c" || exit 1
cat > "$TMP/list" <<END
dir /dev 755 0 0
nod /dev/console 600 0 0 c 5 1
file /init $TMP/guest 755 0 0
END
"$QUERN" initramfs -o "$TMP/guest.img" "$TMP/list" || exit 1

# A stripped kernel's addresses, as it tells them itself.
"$ROOT/test/shell-initramfs" amd64 "$TMP/shell.img" || exit 1
cat > "$TMP/addresses.console" <<'END'
$ grep -wE '(start_kernel|linux_banner|jiffies|__x64_sys_getpid)$' /proc/kallsyms
~~
$ poweroff -f
END
"$ROOT/test/console.py" --log "$TMP/addresses.log" --timeout 100 "$TMP/addresses.console" -- "$QUERN" -m 512 -kernel "$kernel" \
	-initrd "$TMP/shell.img" -append "console=ttyS0 nokaslr" -nographic -no-reboot > "$TMP/addresses.out" 2>&1 ||
	{ fail addresses; cat "$TMP/addresses.out"; finish; }
address() { tr -d '\r' < "$TMP/addresses.log" | sed -n "s/^\(ffffffff[0-9a-f]*\) [A-Za-z] $1\$/0x\1/p"; }

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

for gdb in gdb gdb-multiarch; do
	if ! command -v $gdb > /dev/null; then
		skip "$gdb" "it is not installed"
		continue
	fi
	session "$gdb-kernel" kernel.gdb --gdb $gdb --set "GDB=$gdb"
	session "$gdb-user" user.gdb --gdb $gdb
done
finish

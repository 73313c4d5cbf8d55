#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gdb-source.sh - gdb with all that a kernel's debugging data has: source lines, types, variables, modules (test/gdb/source.gdb). The
# data (250 MB to fetch, 1.7 GB unpacked) is fetched by `make check-dbg`; without it in the cache there is nothing to do.
# timeout: 900
. "$(dirname "$0")/lib.sh"
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
release=${kernel##*/vmlinuz-}
if [ "${1:-}" = --fetch ]; then
	"$ROOT/tools/fetch-kernel" --dir "linux-image-$release-dbg"
	exit
fi
[ -e "$CACHE/bookworm-amd64/linux-image-$release-dbg" ] || { skip gdb-source "no debugging data: make check-dbg fetches it"; finish; }
debug=$("$ROOT/tools/fetch-kernel" --dir "linux-image-$release-dbg")/usr/lib/debug
. "$ROOT/test/gdb/guests.sh" || exit 1

vmlinux=$debug/boot/vmlinux-$release
# the first line in start_kernel with code of its own, as its debugging data has it
line=$(gdb -nx -batch -iex "set debuginfod enabled off" -ex "file $vmlinux" -ex "info line start_kernel" 2> /dev/null |
	sed -n 's/^Line \([0-9]*\) of "init\/main.c".*/\1/p')
check line [ -n "$line" ]
if "$ROOT/test/gdb-session.py" --timeout 800 --log "$TMP/source.log" --set "QUERN=$QUERN" --set "KERNEL=$kernel" \
	--set "IMG=$TMP/modules.img" --set "VMLINUX=$vmlinux" --set "MODULES=$debug/lib/modules/$release" --set "LINE=$line" \
	"$ROOT/test/gdb/source.gdb" > "$TMP/source.out" 2>&1; then
	ok source
else
	fail source "status $?"
	sed 's/^/    /' "$TMP/source.out"
fi
finish

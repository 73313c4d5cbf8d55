#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# crash.sh - the crash utility opens a dump of every kind and lists tasks, log, modules and backtraces. It needs the kernel's debugging
# data (300 MB to fetch, 2 GB unpacked), which `make crash-test` fetches; without it in the cache there is nothing to do.
# timeout: 1800
. "$(dirname "$0")/lib.sh"
export QUERN
fetch=("$ROOT/tools/fetch-kernel" --suite trixie)
if [ "${1:-}" = --fetch ]; then
	"${fetch[@]}" --dir linux-image-cloud-amd64-dbg
	exit
fi
[ -e "$CACHE/trixie-amd64/linux-image-cloud-amd64-dbg" ] || { skip crash "no debugging data: make crash-test fetches it"; finish; }
dir=$("${fetch[@]}" --dir linux-image-cloud-amd64) || exit 1
kernel=$("${fetch[@]}" linux-image-cloud-amd64) || exit 1
vmlinux=$("${fetch[@]}" --dir linux-image-cloud-amd64-dbg)/usr/lib/debug/boot/vmlinux-${kernel##*/vmlinuz-}
[ -e "$vmlinux" ] || { skip crash "the debugging data is of another kernel than $kernel"; finish; }

# The crash of the same distribution as the kernel, with its libraries: older ones do not understand newer kernels.
mkdir "$TMP/root" "$TMP/dumps"
for p in crash libc6 libsnappy1v5 liblzo2-2 libzstd1 libncurses6 libncursesw6 libtinfo6 zlib1g libstdc++6 libgcc-s1 liblzma5 \
	libgmp10 libmpfr6 libreadline8t64; do
	from=$("${fetch[@]}" --dir $p) || exit 1
	cp -a "$from/." "$TMP/root/"
done
crash() {
	"$TMP/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$TMP/root/usr/lib/x86_64-linux-gnu" "$TMP/root/usr/bin/crash" "$@"
}

xz -dc "$(find "$dir" -name 'qemu_fw_cfg.ko.xz')" > "$TMP/fw.ko" || exit 1
"$ROOT/test/shell-initramfs" amd64 "$TMP/guest.img" "file /fw.ko $TMP/fw.ko 644 0 0" || exit 1
sed -i '/^stty/i insmod /fw.ko; sleep 1000 & sleep 1001 &' "$TMP/guest.img.init"
"$QUERN" initramfs -o "$TMP/guest.img" "$TMP/guest.img.list" || exit 1
DUMP_KEEP=$TMP/dumps "$ROOT/test/dump.py" trixie "$QUERN" "$kernel" "$TMP/guest.img" 64 -M q35 -device vmcoreinfo || FAILED=1

printf '%s\n' ps log mod 'bt 1' 'bt -a' sys quit > "$TMP/commands"
for f in elf paging kdump-zlib kdump-raw-zlib kdump-raw-lzo kdump-raw-snappy kdump-raw-zstd; do
	TERM=dumb crash -s "$vmlinux" "$TMP/dumps/$f" < "$TMP/commands" > "$TMP/$f.out" 2>&1
	wrong=
	for want in '^ +1 +0 .* init$' '^ +2 +0 .* \[kthreadd\]$' ' sleep$' 'Linux version ' 'Run /init as init process' \
		'[0-9a-f]{16} +qemu_fw_cfg ' 'COMMAND: "init"' 'do_wait' 'CPUS: 2$'; do
		grep -qE "$want" "$TMP/$f.out" || wrong="$wrong '$want'"
	done
	if [ -z "$wrong" ]; then ok "opens-$f"; else fail "opens-$f" "it does not say$wrong"; head -n 30 "$TMP/$f.out"; fi
done
finish

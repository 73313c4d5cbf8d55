#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts.sh - the kernel's own scripts for gdb, and its own debugger on a serial line: sessions below test/kernel, and those of
# doc/debugging.md that need this kernel.
# timeout: 600
. "$(dirname "$0")/lib.sh"

# A guest that crashes a little, again and again, and one with a shell that enters the kernel's debugger.
cat > "$TMP/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t debugfs debug /sys/kernel/debug
/bin/busybox insmod /lkdtm.ko
while :; do
	echo ready
	/bin/busybox sleep 1
	echo WARNING > /sys/kernel/debug/provoke-crash/DIRECT
	[ ! -e /enter ] || echo g > /proc/sysrq-trigger
done
END
busybox=$("$ROOT/tools/fetch-kernel" --arch amd64 busybox-static)/bin/busybox || exit 1
cat > "$TMP/list" <<END
dir /bin 755 0 0
dir /dev 755 0 0
dir /proc 755 0 0
dir /sys 755 0 0
nod /dev/console 600 0 0 c 5 1
file /bin/busybox $busybox 755 0 0
file /lkdtm.ko $BUILD_DIR/drivers/misc/lkdtm/lkdtm.ko 644 0 0
file /init $TMP/init 755 0 0
END
"$QUERN" initramfs -o "$TMP/initramfs.img" "$TMP/list" || exit 1
echo "file /enter /dev/null 644 0 0" >> "$TMP/list"
"$QUERN" initramfs -o "$TMP/enter.img" "$TMP/list" || exit 1

# As in the directory of the build.
ln -s "$QUERN" "$TMP/quern"
ln -s "$QUERN" "$TMP/qemu-system-x86_64"
ln -s "$BZIMAGE" "$BUILD_DIR"/{vmlinux,vmlinux-gdb.py,scripts} "$TMP"
cp "$BUILD_DIR/drivers/misc/lkdtm/lkdtm.ko" "$TMP"
cd "$TMP" || exit 1
export PATH=$TMP:$PATH

session() {
	local name=$1
	shift
	if "$ROOT/test/gdb-session.py" --log "$TMP/$name.log" "$@" > "$TMP/$name.out" 2>&1; then
		ok "$name"
	else
		fail "$name" "status $?"
		sed 's/^/    /' "$TMP/$name.out"
	fi
}
for name in quern qemu-system-x86_64; do
	session "scripts-$name" --set "NAME=$name" "$ROOT/test/kernel/scripts.gdb"
	session "scripts-kaslr-$name" --set "NAME=$name" "$ROOT/test/kernel/kaslr.gdb"
done
session kgdboc "$ROOT/test/kernel/kgdboc.gdb"

while read -r section; do
	name=$(echo "$section" | tr -cs 'A-Za-z0-9\n' '-')
	session "doc-$name" "$ROOT/doc/debugging.md" "$section"
done < <(awk '/^## / { section = substr($0, 4) } /^```gdb kernel$/ { print section }' "$ROOT/doc/debugging.md")
finish

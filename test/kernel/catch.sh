#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# catch.sh - catchpoints meet what a kernel with lockdep and LKDTM does (catch.py).
# timeout: 600
. "$(dirname "$0")/lib.sh"

mkdir "$TMP/locks"
cp "$ROOT/test/kernel/locks.c" "$TMP/locks"
echo 'obj-m := locks.o' > "$TMP/locks/Makefile"
make -C "$BUILD_DIR" M="$TMP/locks" modules > "$TMP/locks.log" 2>&1 || { cat "$TMP/locks.log"; exit 1; }
lines=("file /root/locks.ko $TMP/locks/locks.ko 644 0 0")
for ko in drivers/misc/lkdtm/lkdtm.ko lib/test_lockup.ko; do
	lines+=("file /root/$(basename $ko) $BUILD_DIR/$ko 644 0 0")
done
initramfs "$TMP/guest.img" "${lines[@]}"
"$ROOT/test/kernel/catch.py" "$QUERN" "$BZIMAGE" "$TMP/guest.img" || FAILED=1
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# doc-debugging.sh - gdb answers as doc/debugging.md says, section by section. What needs a kernel of its own is left to
# test/kernel/scripts.sh.
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$ROOT/test/gdb/guests.sh" || exit 1

cd "$TMP" || exit 1
ln -s "$QUERN" quern
ln -s "$kernel" vmlinuz
ln -s guest.img initramfs.img
export PATH=$TMP:$PATH

grep '^## ' "$ROOT/doc/debugging.md" | sed 's/^## //' | while read -r section; do
	# a section without commands
	sed -n "/^## $section\$/,/^## /p" "$ROOT/doc/debugging.md" | tail -n +2 | sed '/^## /q' | grep -q '^```gdb$' || continue
	name=$(echo "$section" | tr -cs 'A-Za-z0-9\n' '-')
	if "$ROOT/test/gdb-session.py" --log "$TMP/$name.log" "$ROOT/doc/debugging.md" "$section" > "$TMP/$name.out" 2>&1; then
		ok "$name"
	else
		fail "$name" "status $?"
		sed 's/^/    /' "$TMP/$name.out"
		touch "$TMP/failed"
	fi
done
[ ! -e "$TMP/failed" ] || FAILED=1
finish

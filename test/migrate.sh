#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# migrate.sh - machines that go to another process, to files and back in time, as clients of QMP see it (migrate.py).
# timeout: 240
. "$(dirname "$0")/lib.sh"
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || { echo "no kernel"; exit 77; }
mapfile -t lines < <("$ROOT/test/module-lines" "$(dirname "$(dirname "$kernel")")" virtio_mmio virtio_blk)
QUERN=$QUERN "$ROOT/test/shell-initramfs" amd64 "$TMP/shell.img" "${lines[@]}" || exit 1
"$ROOT/test/migrate.py" "$TMP" "$QUERN" "$kernel" "$TMP/shell.img" 2>&1
status=$?
check migrate [ $status = 0 ]
finish

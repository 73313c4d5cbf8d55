#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# doc-faults.sh - doc/faults.md does what it says: Linux's NVMe driver meets a lost interrupt, wrong data and a failed controller.
# timeout: 200
. "$(dirname "$0")/lib.sh"
KERNEL=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
cd "$TMP" || exit 1
export QUERN KERNEL INITRAMFS=$TMP/faults.img
"$ROOT/test/shell-initramfs" amd64 faults.img || exit 1
mkdir bin && ln -s "$QUERN" bin/quern && export PATH=$TMP/bin:$PATH
if "$ROOT/test/doc-run.py" --log faults.log "$ROOT/doc/faults.md" > faults.out 2>&1; then
	ok doc-faults
else
	fail doc-faults "status $?"
	sed 's/^/    /' faults.out
	tail -n 30 faults.log
fi
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# monitor-guest.sh - monitors of a machine in which Debian's kernel runs: keys, registers, memory, page tables, NMI.
# timeout: 300
. "$(dirname "$0")/lib.sh"
export QUERN
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
"$ROOT/test/shell-initramfs" amd64 "$TMP/x86_64.img" || exit 1
timeout -k 5 280 python3 "$ROOT/test/monitor.py" "$QUERN" "$TMP" "$kernel" "$TMP/x86_64.img" || FAILED=1
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# monitor.sh - the human monitor and QMP as clients use them: monitor.py says what. Without a kernel.
# quick
# timeout: 120
. "$(dirname "$0")/lib.sh"
head -c 65536 /dev/zero > "$TMP/halt.bin"
printf '\364\353\375' | dd of="$TMP/halt.bin" bs=1 seek=65520 conv=notrunc status=none
timeout -k 5 110 python3 "$ROOT/test/monitor.py" "$QUERN" "$TMP" || FAILED=1
finish

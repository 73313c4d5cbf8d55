#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# qtest.sh - devices driven from outside, with the clock in the test's hand; and the same requests to QEMU, where it is installed.
# quick
. "$(dirname "$0")/lib.sh"
"$ROOT/test/qtest.py" "$QUERN" || FAILED=1
if command -v qemu-system-x86_64 > /dev/null; then
	"$ROOT/test/qtest.py" "$QUERN" "$(command -v qemu-system-x86_64)" || FAILED=1
else
	skip as-in-qemu "QEMU is not installed"
fi
finish

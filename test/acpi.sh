#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# acpi.sh - Intel's compiler takes the ACPI tables of every board apart without complaint, and its own output for the DSDTs back.
# quick
# timeout: 60
. "$(dirname "$0")/lib.sh"
command -v iasl > /dev/null || { skip tables "iasl (package acpica-tools) is not installed"; finish; }
mkdir "$TMP/aml"
QUERN_ACPI_DUMP=$TMP/aml "$OUT/test-unit" acpi_pc acpi_q35 acpi_microvm acpi_numa acpi_vmgenid > /dev/null || { fail dump "the unit tests failed"; finish; }
cd "$TMP/aml" || exit 1
for f in *.aml; do
	name=${f%.aml}
	if iasl -d "$f" > "$name.log" 2>&1 && ! grep -qiE 'error|warning|invalid' "$name.log"; then ok "$name"; else fail "$name" "$(tail -n 5 "$name.log")"; fi
done
for f in *-DSDT.dsl; do
	name=${f%.dsl}
	if iasl -p "$TMP/re" "$f" > "$name.log2" 2>&1 && grep -q '0 Errors, 0 Warnings' "$name.log2"; then
		ok "$name-compiles"
	else
		fail "$name-compiles" "$(grep -E -A1 'Error|Warning' "$name.log2" | head -n 6)"
	fi
done
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# diff.sh - stored cases and a short run of random snippets: host, interpreter and translator agree; random IR units, too.
# timeout: 300
. "$(dirname "$0")/lib.sh"
cd "$ROOT" || exit 1
[ -x "$OUT/diff" ] || { echo "$OUT/diff was not built"; exit 77; }
seed=$(date +%s)
check "snippets (seed ${seed}000000)" "$OUT/diff" --seed "${seed}000000" --count "${DIFF_COUNT:-200000}" --ir "${DIFF_IR:-20000}" --jobs 2
finish

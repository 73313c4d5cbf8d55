#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# diff.sh - stored cases and a short run of random snippets: host, interpreter and translator agree; random IR units, too.
# timeout: 300
. "$(dirname "$0")/lib.sh"
cd "$ROOT" || exit 1
[ -x "$OUT/diff" ] || { echo "$OUT/diff was not built"; exit 77; }
# Where the manual leaves a choice, what the host does was learnt from processors by AMD; and a sanitizer's memory lies where snippets expect none.
host=
grep -qs AuthenticAMD /proc/cpuinfo && [ "${BUILD:-release}" != asan ] && [ "${BUILD:-release}" != tsan ] || host=--no-host
seed=${DIFF_SEED:-20261123}	# always the same here: hunting with other seeds is `make diff`
check "snippets (seed ${seed}000000)" "$OUT/diff" --seed "${seed}000000" --count "${DIFF_COUNT:-200000}" --ir "${DIFF_IR:-20000}" --jobs 2 $host
finish

# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh - for test/*.sh: `. "$(dirname "$0")/lib.sh"`. Gives QUERN, OUT, CACHE, a TMP directory that goes away, and ok/fail/skip.
# A script's head may say `# quick` (runs under `make test`, no network, root or download) and `# timeout: SECONDS`.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)
OUT=${OUT:-out/release}
case $OUT in /*) ;; *) OUT=$ROOT/$OUT ;; esac
QUERN=${QUERN:-$OUT/quern}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/quern
TMP=$(mktemp -d "${TMPDIR:-/tmp}/quern-test-XXXXXX")
trap 'rm -rf "$TMP"' EXIT
trap 'exit 130' INT TERM
FAILED=0

ok() { echo "ok $1"; }
# fail NAME WHY: counts one failure; the script goes on and must end with `finish`.
fail() { echo "FAIL $1: ${2:-}"; FAILED=1; }
skip() { echo "skip $1: ${2:-}"; }
# check NAME COMMAND...: ok when the command succeeds, else its output is shown.
check() {
	local name=$1
	shift
	if "$@" > "$TMP/.check" 2>&1; then ok "$name"; else fail "$name" "$* (status $?)"; sed 's/^/    /' "$TMP/.check"; fi
}
# same NAME A B: two files are equal, byte for byte.
same() { if cmp "$2" "$3" > "$TMP/.check" 2>&1; then ok "$1"; else fail "$1" "$(cat "$TMP/.check")"; fi; }
finish() { exit $FAILED; }

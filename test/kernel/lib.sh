# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh - for the tests of `make check-kernel`: `. "$(dirname "$0")/lib.sh"`. Besides test/lib.sh: BUILD_DIR, the build of the kernel
# for debugging, and `initramfs FILE LINE...`, a shell with what the lines add.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
export QUERN
BUILD_DIR=$("$ROOT/tools/build-kernel") || exit 1
BZIMAGE=$BUILD_DIR/arch/x86/boot/bzImage
initramfs() { "$ROOT/test/shell-initramfs" amd64 "$@" || exit 1; }

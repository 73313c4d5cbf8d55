#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# edu.sh - the educational device: a Linux driver built against the kernel's headers checks it by pin and by message, and a
# program that reads and writes its registers gets the same answers as under QEMU.
# timeout: 600
. "$(dirname "$0")/lib.sh"
cloud=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
headers=$("$ROOT/tools/fetch-headers" linux-image-cloud-amd64) || exit 1
cc=${CC:-gcc}
cd "$TMP"
export QUERN
mkdir module && cp "$ROOT"/test/edu/* module
check driver-compiles make -C "$headers" "M=$TMP/module" "CC=$(command -v gcc-12 || echo gcc)" modules
check program-compiles "$cc" -O1 -Wall -o drive "$ROOT/test/edu/drive.c"
"$ROOT/test/shell-initramfs" amd64 edu.img "prog /bin/drive $TMP/drive 755 0 0" \
	"file /root/edu_check.ko $TMP/module/edu_check.ko 644 0 0" || exit 1

# 200 MB: all of the memory is below the device's 28 bits.
cat > script <<'END'
$ drive /sys/bus/pci/devices/0000:00:05.0 | sed 's/^/| /'
~~
$ for msi in 0 1; do insmod edu_check.ko msi=$msi bytes=@BYTES@; rmmod edu_check; done; dmesg | grep 'edu_check 0000:00:05.0: [0-9a-z]* ' | sed 's/.*0: //'
52 checks, 0 wrong
52 checks, 0 wrong
$ poweroff -f
END
run() {
	local name=$1 bytes=$2
	shift 2
	"$ROOT/test/console.py" --timeout 200 --set "BYTES=$bytes" --log "$name.log" script -- "$@" -m 200 -kernel "$cloud" -initrd edu.img \
		-append "console=ttyS0 panic=-1 quiet" -nographic -no-reboot -net none -device edu,addr=5 > out 2> err
	status=$?
	if [ $status = 0 ]; then ok "$name"; else fail "$name" "status $status"; cat out err; fi
	tr -d '\r' < "$name.log" | grep '^| ' |
		grep -v '^| EDU: clamping' > "$name.answers"
}
run quern 4096 "$QUERN" -trace 'edu*.dma' -D trace
check trace grep -q '^edu0.dma to 0x[0-9a-f]*, 2048 bytes$' trace
check answered test "$(wc -l < quern.answers)" -gt 90
if command -v qemu-system-x86_64 > /dev/null; then
	# 7.2 ends when a transfer reaches the buffer's end.
	run qemu 4000 qemu-system-x86_64
	check as-qemu diff -u qemu.answers quern.answers
else
	skip as-qemu "qemu-system-x86_64 is not installed (make check installs it)"
fi
finish

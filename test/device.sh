#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# device.sh - devices of one's own, out of the tree: the texts in doc/ are done as they say, with installed headers only, and the
# first device driven on the other machine through /sys, down to the checksum of its memory; and a virtio device likewise.
# timeout: 900
. "$(dirname "$0")/lib.sh"
cloud=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
headers=$("$ROOT/tools/fetch-headers" linux-image-cloud-amd64) || exit 1
busybox=$("$ROOT/tools/fetch-kernel" busybox-static)/bin/busybox || exit 1
cc=${CC:-gcc}
cd "$TMP"
# The kernel's makefiles want the compiler that built it; another one does.
mkdir bin
command -v gcc-12 > /dev/null || ln -s "$(command -v gcc)" bin/gcc-12

make -s -C "$ROOT" "BUILD=$(basename "$OUT")" CC="$cc" "DESTDIR=$TMP/dest" PREFIX=/usr install > install.log 2>&1 || {
	cat install.log
	fail install "make install failed"
	finish
}
QUERN=$TMP/dest/usr/bin/quern
export QUERN
flags=$("$QUERN" --cflags)
check headers-are-installed test "$(grep -c "$TMP/dest/usr/include" <<< "$flags")" = 1

# The texts, by an installed program in directories that know of no source tree.
read_text() {
	mkdir "$1" && cd "$1" || exit 1
	(
		export KERNEL=$cloud KDIR=$headers BUSYBOX=$busybox PATH=$TMP/dest/usr/bin:$TMP/bin:$PATH
		"$ROOT/test/doc-run.py" --timeout 200 --log ../log "$ROOT/doc/$1.md"
	) > ../answers 2>&1
	status=$?
	if [ $status = 0 ]; then ok "$1"; else fail "$1" "status $status"; cat ../answers; tail -n 30 ../log; fi
}
read_text datasheet-to-table
cd "$TMP"
read_text first-device
lines=$(sed '/^[[:space:]]*$/d' summer.c | wc -l)
check device-is-short test "$lines" -le 70
check drive-compiles "$cc" -O1 -Wall -o drive "$ROOT/test/drive-summer.c"

"$QUERN" -device ./missing.so -kernel "$cloud" > out 2> err; status=$?
check missing-status test $status = 1
check missing-one-line test "$(wc -l < err)" = 1
echo 'int x;' | "$cc" -shared -fPIC -o nothing.so -x c -
"$QUERN" -device ./nothing.so -kernel "$cloud" > out 2> err; status=$?
check no-device-status test $status = 1
check no-device-one-line test "$(wc -l < err)" = 1

"$ROOT/test/shell-initramfs" amd64 shell.img "prog /bin/drive $PWD/drive 755 0 0" || exit 1
page=$(python3 -c 'import zlib; print("%08x" % zlib.crc32(bytes((i * 7 + (i >> 8)) & 255 for i in range(4096))))')
cat > script <<END
\$ dev=\$(dirname \$(grep -l 0x00c3 /sys/bus/pci/devices/*/device)); cat \$dev/vendor \$dev/class
0x1234
0x088000
\$ drive \$dev
id 50330001
check value: status 2 sum cbf43926
~ first half: status 2 sum [0-9a-f]{8}
second half: status 2 sum cbf43926
page: status 2 sum $page
~ nowhere: status 4 sum [0-9a-f]{8}
~ no mastering: status 4 sum [0-9a-f]{8}
\$ poweroff -f
END
for machine in q35; do
	"$ROOT/test/console.py" --timeout 300 --log log script -- "$QUERN" -M $machine -m 512 -kernel "$cloud" -initrd shell.img \
		-append "console=ttyS0 panic=-1" -nographic -no-reboot -device ./summer.so,ns_per_byte=5 -trace 'summer.*' -D trace > out 2> err
	status=$?
	if [ $status = 0 ]; then ok "drive-$machine"; else fail "drive-$machine" "status $status"; cat out err; fi
	check "trace-$machine" grep -q 'finish.*sum=0xcbf43926' trace
done

# A virtio device: the entropy device of the tree under another name is one file, too, and Linux's driver binds to it.
sed 's/"virtio-rng"/"virtio-dice"/' "$ROOT/dev/virtio/rng.c" > dice.c
check virtio-compiles "$cc" -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers $flags -shared -fPIC -o dice.so dice.c
"$QUERN" -device ./dice.so,help > help 2>&1
check virtio-help grep -q 'max_bytes=' help
mapfile -t lines < <("$ROOT/test/module-lines" "$("$ROOT/tools/fetch-kernel" --dir linux-image-cloud-amd64)" virtio_pci virtio_mmio virtio_rng)
"$ROOT/test/shell-initramfs" amd64 virtio.img "${lines[@]}" || exit 1
cat > script <<END
\$ cat /sys/class/misc/hw_random/rng_current
virtio_rng.0
\$ dd if=/dev/hwrng bs=100 count=3 2>/dev/null | wc -c
300
\$ poweroff -f
END
for machine in pc microvm; do
	"$ROOT/test/console.py" --timeout 300 --log log script -- "$QUERN" -M $machine -m 512 -kernel "$cloud" -initrd virtio.img \
		-append "console=ttyS0 panic=-1" -nographic -no-reboot -device ./dice.so -trace 'virtio-dice*.bytes' -D trace > out 2> err
	status=$?
	if [ $status = 0 ]; then ok "virtio-$machine"; else fail "virtio-$machine" "status $status"; cat out err; fi
	check "virtio-trace-$machine" grep -q '^virtio-dice-.*bytes n=' trace
done
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ivshmem.sh - two guests and the host talk through memory that they share.
# timeout: 300
. "$(dirname "$0")/lib.sh"
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
export QUERN
cd "$TMP"
"$ROOT/test/shell-initramfs" amd64 shell.img || exit 1
truncate -s 4M shared

find='cd /sys/bus/pci/devices/0000:00:05.0; echo 1 > enable; at=$(sed -n 3p resource | cut -d " " -f 1); cat vendor device revision'
cat > first <<END
$ $find
0x1af4
0x1110
0x01
$ devmem \$at 32 0x2a; devmem \$((at + 0x3ffffc)) 32 0x1234567
$ while [ \$(devmem \$at 32) != 0x0000002B ]; do usleep 50000; done; echo answered
answered
$ poweroff -f
END
cat > second <<END
$ $find
0x1af4
0x1110
0x01
$ while [ \$(devmem \$at 32) != 0x0000002A ]; do usleep 50000; done; devmem \$((at + 0x3ffffc)) 32
0x01234567
$ devmem \$at 32 0x2b
$ poweroff -f
END
for name in first second; do
	"$ROOT/test/console.py" --timeout 120 --log $name.log $name -- "$QUERN" -m 256 -kernel "$kernel" -initrd shell.img \
		-append "console=ttyS0 quiet" -nographic -no-reboot -net none \
		-object memory-backend-file,id=m,size=4M,mem-path=shared,share=on -device ivshmem-plain,memdev=m,addr=5 > $name.out 2>&1 &
	pids="${pids:-} $!"
done
for pid in $pids; do wait "$pid" || touch bad; done
if [ ! -e bad ]; then ok guests; else fail guests "one of them got a wrong answer"; cat first.out second.out; fi
check host test "$(od -An -tx4 -N4 shared | tr -d ' ')" = 0000002b
"$QUERN" -kernel "$kernel" -device ivshmem-plain > out 2>&1
check memdev-missing grep -q 'ivshmem-plain: memdev= is missing' out
"$QUERN" -kernel "$kernel" -object memory-backend-ram,id=m,size=3M -device ivshmem-plain,memdev=m > out 2>&1
check size grep -q 'ivshmem-plain' out
cat out
finish

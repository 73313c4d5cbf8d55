#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# disk-boot.sh - SeaBIOS starts what is in the first sector of a disk, on every kind of controller.
# timeout: 200
. "$(dirname "$0")/lib.sh"
bios=/usr/share/seabios/bios-256k.bin
[ -e $bios ] || { skip disk-boot "SeaBIOS is not installed"; exit 0; }
# Each letter: mov dx, 0x3f8; mov al, LETTER; out dx, al. Then the exit status: mov dx, 0xf4; mov al, 0x10; out dx, al; hlt; jmp.
python3 - "$TMP/disk" << 'END'
import sys
code = b"".join(b"\xba\xf8\x03\xb0" + bytes([c]) + b"\xee" for c in b"from the disk\r\n")
code += b"\xba\xf4\x00\xb0\x10\xee\xf4\xeb\xfd"
open(sys.argv[1], "wb").write(code.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
END
# starts NAME ARGUMENT...
starts() {
	local name=$1 status
	shift
	timeout 60 "$QUERN" -bios $bios -display none -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4 "$@" \
		> "$TMP/out" 2>&1 < /dev/null
	status=$?
	if [ $status = 33 ] && grep -q '^.*from the disk' "$TMP/out"; then ok "$name"; else fail "$name" "status $status: $(tail -n 2 "$TMP/out")"; fi
}
file=file=$TMP/disk,format=raw
starts ide -M pc -drive "$file"
starts ide-slave -M pc -drive "$file,index=1"
starts sata -M q35 -drive "$file"
starts ahci -M q35 -drive "$file,if=none,id=d" -device ahci,id=a -device ide-hd,bus=a.3,drive=d
starts nvme -M q35 -drive "$file,if=none,id=d" -device nvme,drive=d,serial=x
starts virtio -M pc -drive "$file,if=virtio,snapshot=on"
starts image-alone -M pc -snapshot "$TMP/disk"
# Of two disks, the one that bootindex= says: the other one stops in its first instruction.
printf '\364\353\375' | dd of="$TMP/other" bs=512 conv=sync 2> "$TMP/dd"
printf '\125\252' | dd of="$TMP/other" bs=1 seek=510 conv=notrunc 2> "$TMP/dd"
truncate -s 1M "$TMP/other"
other=file=$TMP/other,format=raw,if=none,id=o
starts bootindex-sata -M q35 -drive "$other" -device ide-hd,bus=ide.0,drive=o,bootindex=2 -drive "$file,if=none,id=d" \
	-device ide-hd,bus=ide.4,drive=d,bootindex=1
starts bootindex-ide -M pc -drive "$other" -device ide-hd,bus=ide.0,drive=o -drive "$file,if=none,id=d" \
	-device ide-hd,bus=ide.1,unit=1,drive=d,bootindex=0
starts bootindex-nvme -M q35 -drive "$other" -device nvme,serial=a,drive=o -drive "$file,if=none,id=d" \
	-device nvme,serial=b,drive=d,bootindex=0
finish

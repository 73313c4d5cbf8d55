#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# storage.sh - disks of every kind under Linux's own drivers with Debian's standard kernel: contents, fio --verify, file systems,
# NVMe's administration, CD-ROMs, read-only drives; and what of it is in the host's files afterwards.
# timeout: 900
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
for p in fio nvme mkfs.ext4 blkdiscard eject; do
	command -v $p > "$TMP/which" || { skip storage "$p is not installed"; exit 0; }
done
kernel=$("$ROOT/tools/fetch-kernel" linux-image-amd64) || exit 1
busybox=$("$ROOT/tools/fetch-kernel" busybox-static)/bin/busybox
head -c 1M /dev/urandom > "$TMP/pattern"
sum() { head -c "$2" "$1" | md5sum | cut -c 1-32; }

# image NAME MIBS: random contents
image() { head -c "${2}M" /dev/urandom > "$TMP/$1"; }

# runs NAME MACHINE "EXPECT..." "KERNEL ARGUMENTS" ARGUMENT...: a guest with these disks; its verdicts become ours.
runs() {
	local name=$1 machine=$2 expect=$3 words=$4 status
	shift 4
	echo "$expect" > "$TMP/expect"
	{
		for d in bin dev proc sys tmp root mnt usr usr/bin lib lib64 run; do echo "dir /$d 755 0 0"; done
		echo "nod /dev/console 600 0 0 c 5 1"
		echo "file /bin/busybox $busybox 755 0 0"
		echo "slink /bin/sh busybox 777 0 0"
		echo "file /init $ROOT/test/storage-guest 755 0 0"
		echo "file /expect $TMP/expect 644 0 0"
		echo "file /pattern $TMP/pattern 644 0 0"
		for p in fio mkfs.ext4 nvme blkdiscard eject; do echo "prog /usr/bin/$p $(readlink -f "$(command -v $p)") 755 0 0"; done
		"$ROOT/test/module-lines" "$(dirname "$(dirname "$kernel")")" nvme ahci ata_piix sd_mod sr_mod virtio_pci virtio_blk \
			crc32c_generic ext4
	} > "$TMP/list"
	"$QUERN" initramfs --closure -o "$TMP/initramfs" "$TMP/list" || exit 1
	timeout 250 "$QUERN" -M "$machine" -m 768 -kernel "$kernel" -initrd "$TMP/initramfs" -append "console=ttyS0 panic=-1 $words" \
		-nographic -no-reboot "$@" > "$TMP/$name.log" 2>&1 < /dev/null
	status=$?
	sed -n "s/\r//g; s/^@ok /ok $name-/p; s/^@FAIL /FAIL $name-/p" "$TMP/$name.log"
	if grep -q '^@FAIL' "$TMP/$name.log" || [ $status != 0 ] || ! grep -q '^@ok quiet' "$TMP/$name.log"; then
		fail "$name" "status $status"
		tail -n 30 "$TMP/$name.log" | cut -c 1-200 | sed 's/^/    /'
	else
		ok "$name"
	fi
}
# last NAME FILE: the guest's pattern is in the last MiB of the file
last() { tail -c 1M "$TMP/$2" > "$TMP/tail"; same "$1" "$TMP/pattern" "$TMP/tail"; }

image nvme1 96; image nvme5 16; image sata 80; image cd 8; image ro 8; image virtio 80
ro=$(md5sum < "$TMP/ro")
runs q35 q35 "nvme0n1 4 $(sum "$TMP/nvme1" 4M)
nvme0n2 4 $(sum "$TMP/nvme5" 4M)
sda 4 $(sum "$TMP/sata" 4M)
sr0 8 $(sum "$TMP/cd" 8M)
vda 4 $(sum "$TMP/virtio" 4M)
nvme1n1 8 $(sum "$TMP/ro" 8M)" "use=nvme0n1,sda,vda nvmecli cdrom readonly=nvme1n1" \
	-drive "file=$TMP/nvme1,format=raw,if=none,id=n1,discard=unmap" -device nvme,id=nv,serial=SERIAL7,drive=n1 \
	-blockdev "driver=raw,node-name=n5,file.driver=file,file.filename=$TMP/nvme5" -device nvme-ns,bus=nv,nsid=5,drive=n5 \
	-drive "file=$TMP/ro,format=raw,if=none,id=ro,readonly=on" -device nvme,serial=SERIAL8,drive=ro \
	-drive "file=$TMP/sata,format=raw,cache=none" -drive "file=$TMP/cd,format=raw,index=2,media=cdrom" \
	-drive "file=$TMP/virtio,format=raw,if=virtio,cache=writethrough"
last q35-sata-file sata
last q35-virtio-file virtio
is_ro=$(md5sum < "$TMP/ro")
check q35-read-only-file [ "$ro" = "$is_ro" ]

image ide 80
runs pc pc "sda 4 $(sum "$TMP/ide" 4M)
sr0 8 $(sum "$TMP/cd" 8M)" "use=sda cdrom" -drive "file=$TMP/ide,format=raw" -cdrom "$TMP/cd"
last pc-ide-file ide

# The layer of -snapshot keeps everything away from the image; threads do the I/O.
image layer 80
before=$(md5sum < "$TMP/layer")
runs snapshot q35 "sda 4 $(sum "$TMP/layer" 4M)" "use=sda" -snapshot -drive "file=$TMP/layer,format=raw,aio=threads"
check snapshot-untouched [ "$before" = "$(md5sum < "$TMP/layer")" ]
finish

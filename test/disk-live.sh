#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# disk-live.sh - NVMe, AHCI, IDE and virtio disks, one of them a temporary layer, in the middle of fio --verify move with their machine to
# another process, and to one more by way of a file, while the guest's network is pinged; then an NVMe controller is plugged in and out.
# timeout: 600
. "$(dirname "$0")/lib.sh"
command -v fio > "$TMP/which" || { skip disk-live "fio is not installed"; exit 0; }
kernel=$("$ROOT/tools/fetch-kernel" linux-image-amd64) || exit 1
busybox=$("$ROOT/tools/fetch-kernel" busybox-static)/bin/busybox
cat > "$TMP/init" << 'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
dmesg -n 1
for m in /modules/*; do insmod "$m"; done
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ping -i 0.2 10.0.2.2 > /tmp/ping &
pings=$!
for d in nvme0n1 sda vda; do
	while [ ! -e /dev/$d ]; do sleep 0.1; done
	fio --name=v --filename=/dev/$d --size=48M --rw=randrw --bs=4k --verify=crc32c --direct=1 --ioengine=libaio --iodepth=16 \
		--verify_fatal=1 > /tmp/$d 2>&1 && touch /tmp/$d.ok &
	fios="$fios $!"
done
echo
echo "@load"
wait $fios
for d in nvme0n1 sda vda; do
	if [ -e /tmp/$d.ok ]; then echo "@ok $d-verified"; else echo "@FAIL $d-verified: $(tail -n 3 /tmp/$d | tr '\n' ' ')"; fi
done
kill -INT $pings
wait $pings
lost=$(awk '/packets transmitted/ { print $1 - $4 }' /tmp/ping)
if [ "$lost" -le 2 ] && [ "$(grep -c ' bytes from ' /tmp/ping)" -gt 5 ]; then echo "@ok pings"; else echo "@FAIL pings: $(tail -n 3 /tmp/ping | tr '\n' ' ')"; fi
if [ -e /hotplug ]; then
	echo "@plug"
	while [ ! -e /dev/nvme1n1 ]; do sleep 0.1; done
	echo "@ok plugged"
	if [ "$(md5sum < /dev/nvme1n1 | cut -c 1-32)" = "$(cat /hotplug)" ]; then echo "@ok contents"; else echo "@FAIL contents: differ"; fi
	echo "@unplug"
	while [ -e /dev/nvme1n1 ]; do sleep 0.1; done
	echo "@ok unplugged"
fi
poweroff -f
END
head -c 8M /dev/urandom > "$TMP/h"
md5sum < "$TMP/h" | cut -c 1-32 > "$TMP/sum"
# lives MACHINE DESCRIPTION-LINE ARGUMENT...
lives() {
	local name=$1 line=$2 status
	shift 2
	{
		for d in bin dev proc sys tmp usr usr/bin lib lib64; do echo "dir /$d 755 0 0"; done
		echo "nod /dev/console 600 0 0 c 5 1"
		echo "file /bin/busybox $busybox 755 0 0"
		echo "slink /bin/sh busybox 777 0 0"
		echo "file /init $TMP/init 755 0 0"
		echo "prog /usr/bin/fio $(command -v fio) 755 0 0"
		echo "$line"
		"$ROOT/test/module-lines" "$(dirname "$(dirname "$kernel")")" nvme ahci ata_piix sd_mod virtio_pci virtio_blk virtio_net
	} > "$TMP/list"
	"$QUERN" initramfs --closure -o "$TMP/initramfs" "$TMP/list" || exit 1
	truncate -s 0 "$TMP/d" "$TMP/e"
	truncate -s 64M "$TMP/d" "$TMP/e" "$TMP/f"
	timeout 280 "$ROOT/test/disk-live.py" "$TMP" "$QUERN" -M "$name" -m 512 -kernel "$kernel" -initrd "$TMP/initramfs" \
		-append "console=ttyS0 panic=-1" -nographic -no-reboot -drive "file=$TMP/d,format=raw,if=none,id=d" -device nvme,serial=x,drive=d \
		-drive "file=$TMP/e,format=raw,id=e" -drive "file=$TMP/f,format=raw,if=virtio,id=f,snapshot=on" -nic user,model=virtio-net-pci "$@" > "$TMP/log" 2>&1
	status=$?
	sed -n "s/\r//g; s/^@ok /ok $name-/p; s/^@FAIL /FAIL $name-/p" "$TMP/log"
	if [ $status = 0 ] && grep -q '^@ok sda-verified' "$TMP/log" && ! grep -q '^@FAIL' "$TMP/log"; then
		ok "$name"
	else
		fail "$name" "status $status"
		tail -n 20 "$TMP/log" | cut -c 1-200 | sed 's/^/    /'
	fi
}
lives q35 "file /hotplug $TMP/sum 644 0 0" -device pcie-root-port,id=rp,slot=3 -drive "file=$TMP/h,format=raw,if=none,id=h,readonly=on"
lives pc ""
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# initramfs-boot.sh - a real kernel unpacks what `quern initramfs` builds, in every compression, and runs a program of the host
# with its libraries; -initrd takes a description and a directory directly.
# timeout: 300
. "$(dirname "$0")/lib.sh"
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
busybox=$("$ROOT/tools/fetch-kernel" busybox-static)/bin/busybox || exit 1
cd "$TMP"

cat > init <<'END'
#!/bin/bash
echo "INIT-OK $BASH_VERSION"
/bin/busybox poweroff -f
END
cat > boot.list <<END
dir /dev 755 0 0
nod /dev/console 600 0 0 c 5 1
prog /init $TMP/init 755 0 0
prog /bin/bash /bin/bash 755 0 0
file /bin/busybox $busybox 755 0 0
END
# boots NAME INITRD: /init says that it runs, and the machine switches itself off with status 0.
boots() {
	timeout 60 "$QUERN" -m 512 -kernel "$kernel" -initrd "$2" -append "console=ttyS0 quiet" -nographic -no-reboot \
		> log 2>&1 < /dev/null
	local status=$?
	if [ $status = 0 ] && grep -q INIT-OK log; then ok "$1"; else fail "$1" "status $status"; tail -n 20 log; fi
}

for suffix in img gz bz2 lzma xz lzo lz4 zst; do
	"$QUERN" initramfs -o "boot.$suffix" boot.list
	boots "$suffix" "boot.$suffix"
done
boots description boot.list
mkdir -p root/bin root/dev
cp "$busybox" root/bin/busybox
sed 's|/bin/bash|/bin/busybox sh|' init > root/init
chmod 755 root/init
boots directory root
finish

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kdump.sh - kernels that start kernels: one that has crashed, on any of its CPUs, is looked at by the next one, which reads its log
# from /proc/vmcore (kexec -p); and kexec -e into a new one.
# timeout: 900
. "$(dirname "$0")/lib.sh"
export QUERN
fetch=$ROOT/tools/fetch-kernel
kernel=$("$fetch" linux-image-amd64) || exit 1
busybox=$("$fetch" busybox-static)/bin/busybox || exit 1
# kexec-tools with the libraries that it wants.
mkdir "$TMP/root"
for p in kexec-tools libxenmisc4.17 libxentoolcore1 libxentoollog1 libxencall1 libxendevicemodel1 libxenevtchn1 \
	libxenforeignmemory1 libxengnttab1 libxenhypfs1 libxenstore4 libyajl2 libc6; do
	dir=$("$fetch" --dir $p) || exit 1
	cp -a "$dir/." "$TMP/root/"
done

# What the second kernel does.
cat > "$TMP/second-init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t devtmpfs dev /dev
echo "second kernel with $(nproc) CPUs"
if [ -e /proc/vmcore ]; then
	vmcore-dmesg /proc/vmcore > /tmp/log
	grep -q 'sysrq: Trigger a crash' /tmp/log && echo 'found the crash in its log'
	grep -o 'marker-[0-9]*-marker' /tmp/log
	size=$(stat -c %s /proc/vmcore)
	# reads end where a piece of memory does
	read=$(dd if=/proc/vmcore of=/dev/null bs=1M 2>&1 | sed -n 's/^\([0-9]*\)+[0-9]* records out/\1/p')
	[ $size -gt 400000000 ] && [ "$read" -ge $(((size >> 20) - 8)) ] && echo 'all of vmcore can be read'
fi
echo 'end of the second kernel'
poweroff -f
END
{
	for d in bin dev proc sys tmp; do echo "dir /$d 755 0 0"; done
	echo "nod /dev/console 600 0 0 c 5 1"
	echo "file /bin/busybox $busybox 755 0 0"
	echo "prog /bin/vmcore-dmesg $TMP/root/sbin/vmcore-dmesg 755 0 0"
	echo "file /init $TMP/second-init 755 0 0"
} > "$TMP/second.list"
"$QUERN" initramfs --sysroot "$TMP/root" -o "$TMP/second.img.gz" "$TMP/second.list" || exit 1
SYSROOT=$TMP/root "$ROOT/test/shell-initramfs" amd64 "$TMP/first.img" "prog /bin/kexec $TMP/root/sbin/kexec 755 0 0" \
	"file /root/vmlinuz $kernel 644 0 0" "file /root/second.img $TMP/second.img.gz 644 0 0" || exit 1

cat > "$TMP/crash.console" <<'END'
$ kexec -p /root/vmlinuz --initrd=/root/second.img --append="console=ttyS0 @SECOND@ reset_devices panic=-1"; echo loaded $?
~~
loaded 0
$ cat /sys/kernel/kexec_crash_loaded
1
$ echo marker-4711-marker > /dev/kmsg
~~
$ exec taskset @CPU@ sh -c 'echo c > /proc/sysrq-trigger'
! second kernel with 1 CPUs
! found the crash in its log
! marker-4711-marker
! all of vmcore can be read
! end of the second kernel
END
cat > "$TMP/kexec.console" <<'END'
$ kexec -l /root/vmlinuz --initrd=/root/second.img --append="console=ttyS0 panic=-1"; echo loaded $?
~~
loaded 0
$ exec taskset @CPU@ kexec -e -x
! second kernel with @SMP@ CPUs
! end of the second kernel
END

# second NAME SCRIPT CPUS MASK SECOND ARGUMENT...: MASK picks the CPU, SECOND are words for the second kernel.
second() {
	local name=$1 script=$2 smp=$3 status
	"$ROOT/test/console.py" --log "$TMP/$name.log" --timeout 120 --set "SMP=$smp" --set "CPU=$4" --set "SECOND=$5" "$TMP/$script" -- \
		"$QUERN" -m 640 -smp "$smp" -kernel "$kernel" -initrd "$TMP/first.img" \
		-append "console=ttyS0 panic=-1 crashkernel=160M" -nographic -no-reboot "${@:6}" > "$TMP/$name.out" 2>&1
	status=$?
	cat "$TMP/$name.out"
	if [ $status = 0 ]; then ok "$name"; else fail "$name" "status $status"; tail -n 40 "$TMP/$name.log" | cut -c 1-300 | sed "s,^,    ,"; fi
}

second crash-pc-1 crash.console 1 1 nr_cpus=1 -M pc
second crash-q35-4 crash.console 4 4 nr_cpus=1 -M q35
second crash-microvm-4 crash.console 4 1 maxcpus=1 -M microvm
second crash-x2apic-4 crash.console 4 8 nr_cpus=1 -M q35 -cpu max
second kexec-pc-1 kexec.console 1 1 - -M pc
second kexec-q35-4 kexec.console 4 4 - -M q35
finish

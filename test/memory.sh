#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# memory.sh - memory nodes as Linux sees them, and guest memory in a file: read while the guest runs, used again by the next one.
# timeout: 300
. "$(dirname "$0")/lib.sh"
export QUERN
kernel=$("$ROOT/tools/fetch-kernel" linux-image-amd64) || exit 1
"$ROOT/test/shell-initramfs" amd64 "$TMP/guest.img" || exit 1

cat > "$TMP/nodes.console" <<'END'
$ cat /sys/devices/system/node/online
0-2
$ cd /sys/devices/system/node; for n in 0 1 2; do echo $n: $(cat node$n/cpulist), $(cat node$n/distance); done
0: 0-1, 10 20 33
1: 2, 20 10 33
2: 3, 33 33 10
$ awk '/MemTotal/ && $4 > 600000 { print "large" } /MemTotal/ && $4 > 150000 && $4 < 262145 { print "small" }' node*/meminfo
large
small
small
$ dmesg | grep -c 'ACPI: SRAT: Node 0 PXM 0'
2
$ poweroff -f
END
cat > "$TMP/file.console" <<'END'
$ x=live; echo $x-4711-$x > /tmp/marker; sync; echo written
written
$ poweroff -f
END

# guest NAME SCRIPT ARGUMENT...
guest() {
	local name=$1 script=$2
	shift 2
	if "$ROOT/test/console.py" --log "$TMP/$name.log" --timeout 120 "$TMP/$script" -- "$QUERN" -kernel "$kernel" -initrd "$TMP/guest.img" \
		-append "console=ttyS0 panic=-1" -nographic -no-reboot "$@" > "$TMP/$name.out" 2>&1
	then ok "$name"; else fail "$name" "$(cat "$TMP/$name.out")"; fi
}

# Node 0 lies on both sides of the hole below 4 GiB: its first part is in a file, sparse, its second in none.
guest nodes nodes.console -M pc -m 4608 -smp 4 -object "memory-backend-file,id=a,size=4G,mem-path=$TMP/large,share=on" \
	-object memory-backend-memfd,id=b,size=256M -object memory-backend-ram,id=c,size=256M \
	-numa node,memdev=a,cpus=0-1 -numa node,memdev=b,cpus=2 -numa node,memdev=c,cpus=3 \
	-numa dist,src=0,dst=1,val=20 -numa dist,src=0,dst=2,val=33 -numa dist,src=1,dst=2,val=33
rm -f "$TMP/large"
file=(-M "q35,memory-backend=m" -object "memory-backend-file,id=m,size=256M,mem-path=$TMP/ram,share=on")
guest file file.console "${file[@]}"
if grep -qa live-4711-live "$TMP/ram"; then ok file-holds-memory; else fail file-holds-memory "the guest's text is not in it"; fi
# What is left of the first guest does not disturb the second.
guest file-again file.console "${file[@]}"
guest path file.console -m 256 -mem-path "$TMP" -mem-prealloc
finish

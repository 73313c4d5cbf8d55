#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later
# init.sh - a guest that loads and unloads a module for ever.
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
n=0
while :; do
	/bin/busybox insmod /dummy.ko
	n=$((n + 1))
	echo "loaded $n"
	/bin/busybox rmmod dummy
done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# errors.sh - what cannot be started is refused with one sentence and exit status 1, never a signal: garbage, truncated and hostile
# kernels, initrds, unreadable files, options.
# timeout: 900
. "$(dirname "$0")/lib.sh"
cloud=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
cd "$TMP"

# refused REGEX ARGUMENT...: says why not in $why.
refused() {
	local text=$1 status
	shift
	timeout -k 5 120 "$QUERN" -display none -serial none -monitor none "$@" > out 2> err < /dev/null
	status=$?
	why=
	if [ $status != 1 ]; then
		why="status $status: $(head -c 300 err)"
	elif [ -s out ] || [ "$(wc -l < err)" != 1 ] || ! grep -qE '^quern: .' err; then
		why="not one sentence on standard error: $(head -c 300 out err)"
	elif ! grep -qE -e "$text" err; then
		why="it does not say \"$text\": $(cat err)"
	fi
	[ -z "$why" ]
}
refuses() {
	local name=$1
	shift
	if refused "$@"; then ok "$name"; else fail "$name" "$why"; fi
}

# ---- kernels
mkdir k
python3 "$ROOT/test/hostile-kernels.py" "$cloud" k > list || exit 1
bad=0 n=0
while IFS=$'\t' read -r file text; do
	n=$((n + 1))
	refused "$text" -kernel "k/$file" || { fail "$file" "$why"; bad=1; }
	case $file in cut-*)
		refused "$text" -M microvm,kernel-decompress=guest -kernel "k/$file" || { fail "$file-guest" "$why"; bad=1; }
	esac
done < list
check kernels-made test $n -gt 90
[ $bad = 0 ] && ok "hostile-kernels"
refuses kernel-missing "could not open kernel file 'missing': " -kernel missing
refuses kernel-directory "could not (open|load) kernel" -kernel "$TMP"
refuses kernel-host-program "kernel file '/bin/sh' is a program for a dynamic linker" -kernel /bin/sh
if [ "$(id -u)" = 0 ]; then
	skip kernel-unreadable "root reads everything"
else
	cp "$cloud" secret && chmod 0 secret
	refuses kernel-unreadable "could not open kernel file 'secret': Permission denied" -kernel secret
fi
refuses append-too-long "the -append text has 5000 characters, but this kernel takes at most 2047" \
	-kernel "$cloud" -append "$(printf '%5000s' | tr ' ' x)"
refuses too-little-memory "use a larger -m" -kernel "$cloud" -m 16

# ---- initrd
truncate -s 600M large
refuses initrd-too-large "initrd is too large, cannot support" -kernel "$cloud" -m 512 -initrd large
truncate -s 3G larger
refuses initrd-over-2g "initrd is too large, cannot support" -kernel "$cloud" -m 512 -initrd larger
refuses initrd-missing "could not load initrd 'missing': " -kernel "$cloud" -initrd missing
printf 'dir /a 755 0 0\ndir /c 755\n' > wrong.list
refuses initrd-list "wrong.list:2: " -kernel "$cloud" -initrd wrong.list

# ---- options
k="-kernel $cloud"
while IFS='~' read -r text arguments; do
	[ -n "$text" ] || continue
	refuses "${arguments% $k}" "$text" $arguments
done <<END
-nonsense~-nonsense
-nonsense~--nonsense
-append only allowed with -kernel~-append x
-initrd only allowed with -kernel~-initrd $cloud
an argument is missing~-kernel
nonsense~-machine nonsense $k
nonsense~-machine pc,nonsense=on $k
kernel-decompress=nonsense~-machine pc,kernel-decompress=nonsense $k
hpet~-machine pc,hpet=perhaps $k
nonsense~-cpu nonsense $k
nonsense~-accel nonsense $k
tier~-accel tcg,tier=7 $k
-m~-m 0 $k
-m~-m nonsense $k
-m~-m 1Z $k
-m~-m 99999999999999999999G $k
-m~-m -1 $k
-smp~-smp 0 $k
smp|SMP|topology~-smp 100000 $k
-smp~-smp nonsense $k
smp|SMP|topology~-smp cpus=4,sockets=3,cores=2,threads=1 $k
nonsense~-device nonsense $k
nonsense~-device crc,nonsense=1 $k
latency~-device crc,latency=x $k
latency~-device crc,latency=20us..10us $k
no-such.so~-device ./no-such.so $k
nonsense~-serial nonsense $k
nonsense~-chardev nonsense,id=a $k
id~-chardev null $k
missing~-serial chardev:missing $k
/no/such/dir~-serial file:/no/such/dir/log $k
nonsense~-action panic=nonsense $k
nonsense~-action nonsense=pause $k
nonsense~-rtc base=nonsense $k
nonsense~-echr nonsense $k
nonsense~-netdev nonsense,id=a $k
nonsense~-object nonsense,id=a $k
UUID~-uuid nonsense $k
smbios~-smbios type=200 $k
fw_cfg~-fw_cfg nonsense $k
no-such-file~-fw_cfg name=opt/a,file=no-such-file $k
no-such-file~-bios no-such-file
missing.cfg~-readconfig missing.cfg
addr~-device loader,data=1,data-len=4 $k
no-such-file~-device loader,file=no-such-file,addr=0 $k
there is no memory at~-device loader,addr=0x100000000000,data=1,data-len=4 $k
END
finish

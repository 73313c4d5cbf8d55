# SPDX-License-Identifier: GPL-2.0-or-later
# guests.sh - for tests with gdb: in TMP a program with symbols as the only one of a guest (guest, guest.img), a guest that loads
# and unloads a module (modules.img), a vmlinux with one symbol, a firmware (bios.bin). Gives kernel and `address SYMBOL`.
export QUERN
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || return 1

gcc -g -O1 -static -nostdlib -no-pie -fno-stack-protector -fcf-protection=none -o "$TMP/guest" "$ROOT/test/gdb/guest.c" || return 1
cat > "$TMP/list" <<END
dir /dev 755 0 0
nod /dev/console 600 0 0 c 5 1
file /init $TMP/guest 755 0 0
END
"$QUERN" initramfs -o "$TMP/guest.img" "$TMP/list" || return 1

# One that loads and unloads a module all the time.
busybox=$("$ROOT/tools/fetch-kernel" --arch amd64 busybox-static)/bin/busybox || return 1
module=$(find "${kernel%/boot/*}/lib/modules" -name dummy.ko)
cat > "$TMP/list" <<END
dir /bin 755 0 0
dir /dev 755 0 0
dir /proc 755 0 0
dir /sys 755 0 0
nod /dev/console 600 0 0 c 5 1
file /bin/busybox $busybox 755 0 0
file /dummy.ko $module 644 0 0
file /init $ROOT/test/gdb/init.sh 755 0 0
END
"$QUERN" initramfs -o "$TMP/modules.img" "$TMP/list" || return 1
cp "$TMP/list" "$TMP/modules.list"

# A stripped kernel's addresses, as it tells them itself.
"$ROOT/test/shell-initramfs" amd64 "$TMP/shell.img" || return 1
cat > "$TMP/addresses.console" <<'END'
$ grep -wE '(start_kernel|linux_banner|jiffies|__x64_sys_getpid)$' /proc/kallsyms
~~
$ poweroff -f
END
"$ROOT/test/console.py" --log "$TMP/addresses.log" --timeout 100 "$TMP/addresses.console" -- "$QUERN" -m 512 -kernel "$kernel" \
	-initrd "$TMP/shell.img" -append "console=ttyS0 nokaslr" -nographic -no-reboot > "$TMP/addresses.out" 2>&1 ||
	{ fail addresses; cat "$TMP/addresses.out"; return 1; }
address() { tr -d '\r' < "$TMP/addresses.log" | sed -n "s/^\(ffffffff[0-9a-f]*\) [A-Za-z] $1\$/0x\1/p"; }

# A vmlinux as far as these symbols go, for gdb to move. No memory is behind its section.
offset=$(($(address start_kernel) - 0xffffffff81000000))
printf '.section .kernel,"ax",@nobits\n.globl start_kernel\n.set start_kernel, . + %d\n.type start_kernel, @function\n.space 0x3000000\n' \
	$offset > "$TMP/vmlinux.s"
gcc -nostdlib -static -Wl,-N -Wl,--build-id=none -Wl,--section-start=.kernel=0xffffffff81000000 -Wl,-e,0 -o "$TMP/vmlinux" "$TMP/vmlinux.s" || return 1

# A firmware that jumps from the reset vector to two NOPs and a HLT.
head -c 65536 /dev/zero > "$TMP/bios.bin"
put() { printf "$2" | dd of="$TMP/bios.bin" bs=1 seek="$1" conv=notrunc status=none; }
put $((0xfff0)) '\352\133\340\000\360'
put $((0xe05b)) '\220\220\364'

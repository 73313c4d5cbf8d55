#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# firmware.sh - real firmware: SeaBIOS finds the machine's parts and that there is nothing to boot, OVMF reaches the EFI shell, and
# both start the kernel of -kernel, by option ROM and by fw_cfg.
# timeout: 400
. "$(dirname "$0")/lib.sh"
export QUERN
cloud=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
cd "$TMP"
"$ROOT/test/shell-initramfs" amd64 shell.img || exit 1
# Under another name, it is not left out where a kernel can be started without it.
cp /usr/share/seabios/bios-256k.bin seabios.bin || exit 1
cp /usr/share/ovmf/OVMF.fd ovmf.bin || exit 1

# until_line PATTERN FILE ARGUMENT...: runs the machine until the file has the pattern.
until_line() {
	local pattern=$1 file=$2 pid n=0
	shift 2
	rm -f "$file"
	timeout -k 5 60 "$QUERN" -display none -monitor none "$@" > out 2> err < /dev/null &
	pid=$!
	while ! grep -qaE -- "$pattern" "$file" 2> /dev/null; do
		kill -0 $pid 2> /dev/null || break
		sleep 0.1
	done
	kill $pid 2> /dev/null
	wait $pid
	grep -qaE -- "$pattern" "$file" 2> /dev/null && return 0
	cat err
	tail -n 20 "$file"
	return 1
}
# found NAME PATTERN: a line of the firmware's log.
found() { if grep -qaE -- "$2" log; then ok "$1"; else fail "$1" "no line matches '$2'"; fi; }

for machine in pc q35; do
	check "seabios-$machine" until_line 'No bootable device' log -M $machine -smp 3,maxcpus=3 -m 3G -serial none -bios seabios.bin \
		-chardev file,path=log,id=log -device isa-debugcon,iobase=0x402,chardev=log
	found "seabios-$machine-chipset" "Running on QEMU \($([ $machine = pc ] && echo i440fx || echo q35)\)"
	found "seabios-$machine-cpus" 'Found 3 cpu\(s\) max supported 3 cpu\(s\)'
	found "seabios-$machine-tables" 'ACPI: parse DSDT at'
	found "seabios-$machine-mptable" 'Copying MPTABLE'
	found "seabios-$machine-smbios" 'Copying SMBIOS'
	found "seabios-$machine-keyboard" 'PS2 keyboard initialized'
	check "seabios-$machine-menu" until_line 'Press .* for boot menu' log -M $machine -serial none -bios seabios.bin -boot menu=on \
		-chardev file,path=log,id=log -device isa-debugcon,iobase=0x402,chardev=log
	check "ovmf-$machine" until_line 'Shell> ' log -M $machine -m 256 -serial file:log -bios ovmf.bin
done

cat > script <<'END'
$ echo $((6 * 7))
42
$ cat /proc/cmdline
~ console=ttyS0 what=said( initrd=initrd)?
$ nproc
2
$ poweroff -f
END
for machine in pc q35; do
	for firmware in seabios ovmf; do
		if "$ROOT/test/console.py" --timeout 60 --log console script -- "$QUERN" -M $machine -m 512 -smp 2 -bios $firmware.bin \
			-kernel "$cloud" -initrd shell.img -append "console=ttyS0 what=said" -nographic -no-reboot > out 2>&1; then
			ok "kernel-$firmware-$machine"
		else
			fail "kernel-$firmware-$machine" "it did not run to its end"
			cat out
			tail -n 20 console
		fi
		[ $firmware = seabios ] || check "kernel-$firmware-$machine-efi" grep -qa 'efi: EFI v' console
	done
done
finish

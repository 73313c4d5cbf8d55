#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# i2c.sh - I2C and SMBus on both PC chipsets under Linux's own drivers: i2c-tools see the targets, a thermometer's value changes from
# outside, an EEPROM keeps what is written to it, memory modules describe themselves; and doc/sensor-without-c.md does what it says.
# timeout: 400
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
for p in i2cdetect i2cget i2cset i2cdump decode-dimms; do
	command -v $p > "$TMP/which" || { skip i2c "$p is not installed"; exit 0; }
done
kernel=$("$ROOT/tools/fetch-kernel" linux-image-amd64) || exit 1
cd "$TMP" || exit 1
export QUERN
lines=()
for p in i2cdetect i2cget i2cset i2cdump; do lines+=("prog /bin/$p $(readlink -f "$(command -v $p)") 755 0 0"); done
while read -r line; do lines+=("$line"); done < <("$ROOT/test/module-lines" "$(dirname "$(dirname "$kernel")")" i2c-dev i2c-piix4 i2c-i801 at24 lm75)
"$ROOT/test/shell-initramfs" amd64 i2c.img "${lines[@]}" || exit 1
mkdir bin && ln -s "$QUERN" bin/quern && export PATH=$TMP/bin:$PATH
export KERNEL=$kernel INITRAMFS=$TMP/i2c.img

cat > coded.regs <<'END'
pec
reg 0x10 value 2 reset=0x1234
reg 0x20 last  1
END
# What both chipsets can do; @MORE@ is for one of them.
cat > both <<'END'
```console
$ quern -M @MACHINE@ -m 384 -kernel "$KERNEL" -initrd "$INITRAMFS" -append "console=ttyS0 panic=-1 quiet" -nographic -no-reboot -net none \
    -device tmp105,id=temp,temperature=31250 -drive if=none,id=rom,format=raw,file=rom.@MACHINE@ -device at24c-eeprom,address=0x30,drive=rom \
    -device i2c-regfile,file=coded.regs,address=0x20,id=coded
# i2cdetect -l
@ADAPTER@
# i2cdetect -y 0
     0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f
00:          -- -- -- -- -- -- -- -- -- -- -- -- -- 
10: -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- 
20: 20 -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- 
30: 30 -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- 
40: -- -- -- -- -- -- -- -- 48 -- -- -- -- -- -- -- 
50: 50 51 52 53 54 55 56 57 -- -- -- -- -- -- -- -- 
60: -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- -- 
70: -- -- -- -- -- -- -- --                         
# echo tmp105 0x48 > /sys/bus/i2c/devices/i2c-0/new_device
# cat /sys/class/hwmon/hwmon0/name /sys/class/hwmon/hwmon0/temp1_input /sys/class/hwmon/hwmon0/temp1_max
tmp105
31250
80000
(qemu) qom-set /machine/peripheral/temp temperature -12500
# sleep 1; cat /sys/class/hwmon/hwmon0/temp1_input
-12500
(qemu) qom-get temp temperature
-12500
# echo 45500 > /sys/class/hwmon/hwmon0/temp1_max
(qemu) qom-get temp high
11648
(qemu) qom-set temp temperature 200000
Error: property 'temperature' cannot be 200000: it goes from -128000 to 127999
# echo 24c02 0x30 > /sys/bus/i2c/devices/i2c-0/new_device
# E=/sys/bus/i2c/devices/0-0030/eeprom; head -c 13 $E; echo
from the host
# printf 'from the guest' | dd of=$E bs=1 seek=100 2> /dev/null; dd if=$E bs=1 skip=100 count=14 2> /dev/null; echo
from the guest
# i2cset -y 0 0x20 0x10 0xbeef w; i2cget -y 0 0x20 0x10 w
0xbeef
# i2cset -y 0 0x21 0x10 1
i2cset: write failed: No such device or address
@MORE@
# i2cdump -y 0 0x50 b | sed 's/^/| /'
...
| f0: ...
# poweroff -f
```
END
# Packet error codes by hardware, and blocks byte by byte, is what only the ICH does.
cat > more.q35 <<'END'
# i2cset -y 0 0x20 0x10 0x5678 wp; i2cget -y 0 0x20 0x10 wp
0x5678
(qemu) fault arm coded.corrupt,times=1
# i2cget -y 0 0x20 0x10 wp
i2cget: read failed: Bad message
# i2cget -y 0 0x20 0x10 wp
0x5678
# i2cset -f -y 0 0x30 0xf8 1 2 3 4 5 6 7 8 i; i2cdump -f -y 0 0x30 i | tail -1
f0: 00 00 00 00 00 00 00 00 01 02 03 04 05 06 07 08    ........????????
# grep i801 /proc/interrupts | sed 's/ .*IO-APIC/ IO-APIC/'
...i801_smbus
(qemu) fault arm *.hang,times=1
# i2cget -y 0 0x20 0x10 w
[...] i801_smbus 0000:00:1f.3: Transaction timeout
i2cget: read failed: Connection timed out
# i2cget -y 0 0x20 0x10 w
0x5678
END
: > more.pc
adapter_pc='i2c-0...SMBus PIIX4 adapter at 0700...SMBus adapter'
adapter_q35='i2c-0...SMBus I801 adapter at ...SMBus adapter'

# dimm_is FILE PATTERN...: decode-dimms wrote lines that begin so.
dimm_is() {
	local file=$1
	shift
	for line in "$@"; do grep -q "^$line" "$file" || { echo "no '$line' in:"; cat "$file"; return 1; }; done
}

for machine in pc q35; do
	{ printf 'from the host'; head -c 243 /dev/zero; } > rom.$machine
	adapter=adapter_$machine
	sed -e "s/@MACHINE@/$machine/" -e "s/@ADAPTER@/${!adapter}/" -e "/@MORE@/{r more.$machine
d}" both > $machine.md
	if "$ROOT/test/doc-run.py" --log $machine.log $machine.md > $machine.out 2>&1; then ok $machine; else fail $machine "status $?"; sed 's/^/    /' $machine.out; fi
	check $machine-keeps test "$(dd if=rom.$machine bs=1 skip=100 count=14 2> /dev/null | tr -d '\0')" = 'from the guest'
	# 384 MiB are one module of 256 MiB, and one of 128.
	tr -d '\r' < $machine.log | sed -n 's/^| \([0-9a-f]0: [0-9a-f ]\{47\}\).*/\1/p' > $machine.dump
	decode-dimms -x "$TMP/$machine.dump" > $machine.dimm 2>&1
	check $machine-dimm dimm_is $machine.dimm 'Fundamental Memory type *DDR3 SDRAM' 'Size *256 MB' \
		'Banks x Rows x Columns x Bits *8 x 12 x 10 x 64' 'EEPROM CRC of bytes 0-116 *OK'
done

mkdir doc && cd doc || exit 1
if "$ROOT/test/doc-run.py" --log ../doc.log "$ROOT/doc/sensor-without-c.md" > ../doc.out 2>&1; then ok sensor-without-c; else fail sensor-without-c "status $?"; sed 's/^/    /' ../doc.out; fi
finish

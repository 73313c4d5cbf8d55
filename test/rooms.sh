#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rooms.sh - tools/rooms finds the includes that are not allowed, and only those.
# quick
. "$(dirname "$0")/lib.sh"
mkdir -p "$TMP/t/tools" "$TMP/t/out"
cp "$ROOT/tools/rooms" "$TMP/t/tools"
cd "$TMP/t"

# dep SOURCE INCLUDED...: a source, and the .d file that a compiler would write.
dep() {
	mkdir -p "$(dirname "$1")" "$(dirname "out/$1")"
	: > "$1"
	printf 'out/%s.o: %s \\\n /usr/include/stdio.h %s\n%s:\n' "${1%.c}" "$1" "${*:2}" "$2" > "out/${1%.c}.d"
}

dep dev/pci/good.c include/quern/pci.h dev/pci/good.h
dep dev/pci/good_test.c lib/test.h core/machine.h
dep jit/good.c jit/../core/cpu.h jit/../ir/ir.h lib/alloc.h
dep jit/x86/good.c jit/x86/../engine.h jit/x86/../../ir/ir.h
dep isa/x86/good.c isa/decode.h isa/x86/x86.h core/cpu.h
dep cli/good.c jit/x86/emit.h isa/x86/x86.h mon/mon.h
check allowed tools/rooms out

# bad NAME SOURCE INCLUDED: must be named as the offending edge.
bad() {
	dep "$2" "$3"
	if tools/rooms out > log; then fail "$1" "accepted"; else check "$1" grep -q "$2 includes .*may not include" log; fi
	rm "$2"
	check "$1-gone" tools/rooms out
}
bad dev-lib dev/pci/bad.c lib/alloc.h
bad dev-core dev/pci/bad.c core/machine.h
bad isa-isa isa/x86/bad.c isa/riscv/riscv.h
bad jit-isa jit/bad.c isa/x86/x86.h
bad jit-child jit/bad.c jit/x86/emit.h
bad host-host jit/x86/bad.c jit/a64/emit.h
bad core-bus core/bad.c bus/pci.h
bad dotdot core/bad.c core/../bus/pci.h
bad initrd-core initrd/bad.c core/machine.h
rm -r out/*
tools/rooms out > log; status=$?
check nothing-built test $status = 2
finish

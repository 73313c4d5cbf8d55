# 16-bit code: a firmware's first instructions, by the names of both architectures.
$ @QUERN@ -s -S -bios @BIOS@ -display none -serial none -monitor none
(gdb) target remote :1234
(gdb) monitor architecture i8086
connect again: the registers are now those of i8086
(gdb) disconnect
(gdb) target remote :1234
(gdb) x/i $cs * 16 + $eip
   0xffff0:	ljmp   $0xf000,$0xe05b
(gdb) stepi
0x0000e05b in ?? ()
(gdb) hbreak *0xfe05c
(gdb) continue
Program received signal SIGTRAP, Trace/breakpoint trap.
(gdb) info registers eip cs
eip            0xe05c ...
cs             0xf000 ...
(gdb) print $cr0
... = [ ET NW CD ]
(gdb) kill
= 0

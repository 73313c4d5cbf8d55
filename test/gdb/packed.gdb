# A module whose file is compressed: the debugger gets it unpacked.
$ @QUERN@ -s -S -m 512 -smp 2 -M q35,kaslr=on -kernel @TRIXIE@ -initrd @IMG@ -append "console=ttyS0 panic=-1" -display none -serial stdio -monitor none
(gdb) target remote :1234
(gdb) set breakpoint pending on
(gdb) break dummy_setup
Breakpoint 1 (dummy_setup) pending.
(gdb) continue
...hit Breakpoint 1, 0x... in dummy_setup () from target:...dummy.ko.xz
(gdb) backtrace
#0  0x... in dummy_setup () from target:...dummy.ko.xz
#... in do_init_module ()
(gdb) kill
= 0

# A stripped kernel that has put itself elsewhere, and a debugger that was given no file: the guest's own symbols.
$ @QUERN@ -s -S -m 512 -smp 2 -M pc,kernel-decompress=guest -kernel @KERNEL@ -initrd @MODULES@ -append "console=ttyS0 panic=-1" -display none -serial stdio -monitor none
(gdb) target remote :1234
(gdb) print &start_kernel
No symbol table is loaded.  Use the "file" command.
(gdb) continue
^C loaded 1
...received signal SIGINT, Interrupt.
(gdb) disconnect
(gdb) target remote :1234
Reading symbols from target:/guest/vmlinux...
(gdb) print (long)&start_kernel < 0
... = 1
(gdb) break __x64_sys_finit_module
Breakpoint 1 at 0xffffffff...
(gdb) continue
...hit Breakpoint 1, 0x... in __x64_sys_finit_module ()
(gdb) print $pc == &__x64_sys_finit_module
... = 1
(gdb) x/s &linux_banner
0x... <linux_banner>:	"Linux version 6...
(gdb) backtrace
#0  0x... in __x64_sys_finit_module ()
#1  0x... in do_syscall_64 ()
#2  0x... in entry_SYSCALL_64_after_hwframe ()
# Through an interrupt.
(gdb) break hrtimer_interrupt
(gdb) continue
...hit Breakpoint 2, 0x... in hrtimer_interrupt ()
(gdb) backtrace
#0  0x... in hrtimer_interrupt ()
#... in sysvec_apic_timer_interrupt ()
#... in asm_sysvec_apic_timer_interrupt ()
# A task that sleeps: the same that the kernel would tell.
(gdb) python gdb.selected_inferior(); [t.switch() for t in gdb.selected_inferior().threads() if t.name == "kthreadd"]
(gdb) backtrace
#0  0x... in __schedule ()
#1  0x... in schedule ()
#2  0x... in kthreadd ()
#3  0x... in ret_from_fork ()
(gdb) monitor stack 2
[<0>] kthreadd+...
[<0>] ret_from_fork+...
(gdb) kill
= 0

# The kernel and a program in one session: each by its own symbols, and a breakpoint for one process only.
$ @QUERN@ -s -S -m 512 -smp 2 -M pc,kaslr=on -kernel @KERNEL@ -initrd @IMG@ -append "console=ttyS0 panic=-1" -display none -serial stdio -monitor none
(gdb) target remote :1234
Reading symbols from target:/guest/vmlinux...
(gdb) add-symbol-file @PROG@
add symbol table from file "@PROG@"
(gdb) break tick
Breakpoint 1 at ...: file ...guest.c, line ....
(gdb) continue
...hit Breakpoint 1, tick ()...
(gdb) disable 1
(gdb) break __x64_sys_getpid
(gdb) continue
...hit Breakpoint 2, 0x... in __x64_sys_getpid ()
(gdb) backtrace
#0  0x... in __x64_sys_getpid ()
#1  0x... in do_syscall_64 ()
#2  0x... in entry_SYSCALL_64_after_hwframe ()
#3  ... at ...guest.c:...
# What another process does is not met; what this one does is.
(gdb) monitor only kthreadd
breakpoints are for tasks named 'kthreadd'
(gdb) enable 1
(gdb) delete 2
(gdb) continue
^C tick
...received signal SIGINT, Interrupt.
(gdb) monitor only 1
breakpoints are for pid 1
(gdb) continue
...hit Breakpoint 1, tick ()...
(gdb) kill
= 0

# The same with a kernel that the loader has put elsewhere, and a gdb that has no files: the stub gives it the kernel's and the modules'.
$ @NAME@ -s -S -m 256 -smp 2 -M pc,kaslr=on -seed 7 -vmlinux vmlinux -kernel bzImage -initrd initramfs.img -append "console=ttyS0 loglevel=1" -display none -serial stdio -monitor none
(gdb) target remote :1234
Reading symbols from target:/guest/vmlinux...
(gdb) source vmlinux-gdb.py
(gdb) continue
^C ready
...received signal SIGINT, Interrupt.
(gdb) thread 1
(gdb) print (unsigned long)&_text != 0xffffffff81000000
... = 1
(gdb) lx-version
Linux version 6.1...-quern...
(gdb) lx-dmesg
[    0.000000] Linux version 6.1...
...lkdtm: No crash points registered...
(gdb) lx-ps
0x... 0 ...swapper/0
0x... 1 ...init
(gdb) lx-lsmod
0x... lkdtm ...
(gdb) print $lx_task_by_pid(1).comm
... = "init...
(gdb) print $lx_per_cpu("runqueues", 1).cpu
... = 1
(gdb) thread 2
(gdb) print $lx_thread_info($lx_current()).cpu
... = 1
# No lx-symbols is needed.
(gdb) break lkdtm_WARNING
Breakpoint 1 at 0x...
(gdb) continue
...hit Breakpoint 1, ...lkdtm_WARNING () at ...bugs.c:...
(gdb) print $lx_current().comm
... = "init...
(gdb) kill
= 0

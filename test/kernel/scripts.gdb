# The kernel's own scripts, with a kernel where it was linked to and gdb's own files; the scripts' list of modules beside the stub's.
$ @NAME@ -s -m 256 -smp 2 -kernel bzImage -initrd initramfs.img -append "console=ttyS0 nokaslr loglevel=1" -display none -serial stdio -monitor none
(gdb) file vmlinux
(gdb) source vmlinux-gdb.py
(gdb) target remote :1234
(gdb) continue
^C ready
...received signal SIGINT, Interrupt.
(gdb) thread 1
(gdb) lx-version
Linux version 6.1...-quern...
(gdb) lx-cmdline
console=ttyS0 nokaslr loglevel=1
(gdb) lx-dmesg
[    0.000000] Linux version 6.1...
...lkdtm: No crash points registered...
(gdb) lx-ps
0x... 0 ...swapper/0
0x... 1 ...init
0x... 2 ...kthreadd
(gdb) lx-lsmod
Address            Module                  Size  Used by
0xffffffffc0... lkdtm ...
(gdb) print $lx_task_by_pid(1).comm
$1 = "init...
(gdb) print $lx_per_cpu("runqueues", 1).cpu
$2 = 1
(gdb) thread 2
(gdb) print $lx_current().on_cpu
$3 = 1
(gdb) print $lx_thread_info($lx_current()).cpu
$4 = 1
(gdb) lx-symbols
loading vmlinux
scanning for modules in ...
loading @0xffffffffc0...: .../lkdtm.ko
(gdb) info scope lkdtm_WARNING
...
(gdb) break lkdtm_WARNING
Breakpoint 1 at 0xffffffffc0...
(gdb) continue
...hit Breakpoint 1, ...lkdtm_WARNING () at ...bugs.c:...
(gdb) backtrace
#0  ...lkdtm_WARNING () at ...bugs.c:...
#1  ...lkdtm_do_action (...
(gdb) print $lx_current().comm
$5 = "init...
(gdb) kill
= 0

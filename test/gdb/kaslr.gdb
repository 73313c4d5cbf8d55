# A kernel that the boot loader has put elsewhere: symbols are at the right addresses from the first instruction on.
$ @QUERN@ -s -S -m 512 -smp 2 -M pc,kaslr=on -seed @SEED@ -kernel @KERNEL@ -initrd @MODULES@ -append "console=ttyS0 panic=-1" -display none -serial stdio -monitor none
(gdb) file @SYMBOLS@
(gdb) target remote :1234
(gdb) print (long)&start_kernel != @start_kernel@
... = 1
(gdb) break start_kernel
(gdb) continue
...hit Breakpoint 1, 0x... in start_kernel ()
(gdb) print $_exitcode
... = void
(gdb) print $pc == &start_kernel
... = 1
# Modules are libraries: their symbols come and go with them.
(gdb) info sharedlibrary
No shared libraries loaded at this time.
(gdb) set stop-on-solib-events 1
(gdb) continue
Stopped due to shared library event:
  Inferior loaded target:...dummy.ko
(gdb) continue
Stopped due to shared library event:
  Inferior unloaded target:...dummy.ko
(gdb) info sharedlibrary
No shared libraries loaded at this time.
(gdb) continue
(gdb) set stop-on-solib-events 0
(gdb) info symbol dummy_setup
dummy_setup in section .text of target:...dummy.ko
(gdb) break dummy_setup
(gdb) continue
...hit Breakpoint 2, 0x... in dummy_setup () from target:...dummy.ko
(gdb) info os modules
dummy ...
# Tasks are threads; one that sleeps has what the kernel saved of it.
(gdb) info threads
* ...Thread 1... "busybox" (CPU#... [running]) ...in dummy_setup () ...
...Thread 1.10000001 "init" (pid 1 ...
...Thread 1.10000002 "kthreadd" (pid 2 ...
(gdb) thread 4
[Switching to thread 4 (Thread 1.10000002)]
(gdb) print $rip != 0
... = 1
(gdb) print $rax
... = <unavailable>
(gdb) set var $rip = 0
Could not write register ...
(gdb) stepi
...
(gdb) info os
Type ...
cpus ...
processes ...
files ...
modules ...
(gdb) info os processes
...kthreadd...
(gdb) info os files
pid ...
1 ...init...0 .../dev/console...
(gdb) kill
= 0

# Non-stop mode: gdb connects, and finds CPUs that stand. (A script gives it no time for more.)
$ @QUERN@ -s -m 512 -smp 2 -kernel @KERNEL@ -initrd @IMG@ -append "console=ttyS0 nokaslr" -display none -serial stdio -monitor none
(gdb) set non-stop on
(gdb) target remote :1234
(gdb) info threads
* 1    Thread 1.1 ...(CPU#0 ...
(gdb) kill
= 0

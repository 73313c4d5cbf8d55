# The kernel: from its first instruction, through a reset, with a second debugger, to its end. Without symbols: addresses.
$ @QUERN@ -s -S -m 512 -smp 2 -kernel @KERNEL@ -initrd @IMG@ -append "console=ttyS0 nokaslr panic=-1" -display none -serial stdio -monitor none
(gdb) target remote :1234
(gdb) info threads
* 1    Thread 1.1 ...(CPU#0 [running])... 0x0000000001000000 in ... ()
  2    Thread 1.2 ...(CPU#1 [halted ])...
(gdb) print $cr0
... = [ PE ET PG ]
(gdb) print $efer
... = [ LME LMA ]
(gdb) x/i $pc
=> 0x1000000:	lea ...
(gdb) stepi
0x0000000001000007 in ... ()
# Before paging is on as the kernel will have it: nothing is at this address yet.
(gdb) x/i @start_kernel@
...Cannot access memory at address ...
(gdb) hbreak *@start_kernel@
Hardware assisted breakpoint 1 at ...
(gdb) continue
...hit Breakpoint 1, @start_kernel@ in ... ()
(gdb) info registers rip cs
rip ...@start_kernel@...
cs ...0x10 ...
(gdb) x/s @linux_banner@
@linux_banner@...:	"Linux version 6...
# It is patched to other words: a write is seen by the guest and by whoever reads.
(gdb) set {char}@linux_banner@ = 'l'
(gdb) x/s @linux_banner@
@linux_banner@...:	"linux version 6...
(gdb) backtrace 2
#0  @start_kernel@ in ... ()
#1  0xffffffff8... in ... ()
(gdb) watch *(long *)@jiffies@
Hardware watchpoint 2: *(long *)@jiffies@
(gdb) continue
...hit Hardware watchpoint 2: *(long *)@jiffies@
Old value = 4294892296
New value = 4294892297
(gdb) delete
(gdb) rwatch *(long *)@jiffies@
(gdb) continue
...hit Hardware read watchpoint 3: *(long *)@jiffies@
(gdb) delete
# Ten breakpoints that are not met, and one that is.
(gdb) python for i in range(10): gdb.execute("break *(@start_kernel@ + %d)" % i, to_string=True)
(gdb) break *@getpid@
(gdb) continue
...hit Breakpoint ..., @getpid@ in ... ()
(gdb) finish
0xffffffff8... in ... ()
(gdb) info registers rax
rax            0x1 ...
(gdb) delete
# Another debugger at the same time: it comes, looks, and goes; this one still holds the machine.
(gdb) shell @GDB@ -nx -batch -ex "target remote :1234" -ex "info threads" -ex "tbreak *@getpid@" -ex continue -ex detach 2>&1
...Thread 1.2 ...(CPU#1 ...
Temporary breakpoint 1 at @getpid@
...hit Temporary breakpoint 1, @getpid@ in ... ()
# It did not go on itself, and does not know that the guest did.
(gdb) maint flush register-cache
(gdb) info registers rip
rip ...@getpid@...
# Detached, the guest goes on by itself; it is found again.
(gdb) detach
[Inferior 1 (process 1) detached]
(gdb) target remote :1234
(gdb) continue
^C tick
...received signal SIGINT, Interrupt.
(gdb) maint packet Qqemu.PhyMemMode:1
received: "OK"
(gdb) x/s @linux_banner@-0xffffffff80000000
...:	"linux version 6...
(gdb) maint packet Qqemu.PhyMemMode:0
received: "OK"
(gdb) monitor info version
10.2...
# Breakpoints stay over a reset.
(gdb) hbreak *@start_kernel@
(gdb) monitor system_reset
(gdb) continue
...hit Breakpoint ..., @start_kernel@ in ... ()
(gdb) kill
[Inferior 1 (process 1) killed]
= 0

# A program in user space by its own symbols: breakpoints of both kinds, watchpoints of three, steps, finish, writes.
$ @QUERN@ -s -m 512 -smp 2 -kernel @KERNEL@ -initrd @IMG@ -append "console=ttyS0 nokaslr" -display none -serial stdio -monitor none
(gdb) file @PROG@
(gdb) target remote :1234
(gdb) break tick
Breakpoint 1 at ...: file ...guest.c, line ....
(gdb) continue
...hit Breakpoint 1, tick ()...
# A page that the program has not touched yet is not there.
(gdb) print counter
Cannot access memory at address ...
(gdb) backtrace
#0  tick () at ...
#1  0x... in _start () at ...
# The instruction that missed it is executed again.
(gdb) continue
...hit Breakpoint 1, tick ()...
(gdb) print counter
$... = 0
(gdb) continue
...hit Breakpoint 1, tick ()...
(gdb) print counter
$... = 1
(gdb) delete
(gdb) watch counter
Hardware watchpoint 2: counter
(gdb) continue
...hit Hardware watchpoint 2: counter
Old value = 1
New value = 2
(gdb) delete
(gdb) rwatch want
Hardware read watchpoint 3: want
(gdb) continue
...hit Hardware read watchpoint 3: want
Value = 0
(gdb) delete
(gdb) awatch pid
(gdb) continue
...hit Hardware access (read/write) watchpoint 4: pid
(gdb) delete
# What is written has effect.
(gdb) hbreak square
Hardware assisted breakpoint 5 at ...
(gdb) set var want = 7
(gdb) continue
...hit Breakpoint 5, square (x=7) at ...
(gdb) finish
Value returned is $... = 49
(gdb) print $rax
$... = 49
(gdb) set var $rax = 50
(gdb) tbreak rare
(gdb) continue
...hit Temporary breakpoint 6, rare (n=50) at ...
(gdb) delete
# Steps by lines and instructions stay in the program, although timers want the CPU.
(gdb) tbreak tick
(gdb) continue
...hit Temporary breakpoint 7, tick ()...
(gdb) next
...if (counter % ...
(gdb) set var spins = 300000
(gdb) tbreak spin
(gdb) continue
...hit Temporary breakpoint 8, spin ()...
(gdb) maint packet qqemu.sstep
received: "0x7"
(gdb) python def where(): return "user" if int(gdb.parse_and_eval("(long)$pc")) > 0 else "kernel"
(gdb) python for i in range(1000): gdb.execute("stepi", to_string=True)
(gdb) python print("in", where())
in user
# Unless they may.
(gdb) maint packet Qqemu.sstep=1
received: "OK"
(gdb) python i = 0
(gdb) python while where() == "user" and i < 100000: gdb.execute("stepi", to_string=True); i += 1
(gdb) python print("in", where())
in kernel
(gdb) maint packet Qqemu.sstep=7
received: "OK"
# Conditions and prints are evaluated in the machine.
(gdb) set breakpoint condition-evaluation target
(gdb) break tick if counter == 300
(gdb) continue
...hit Breakpoint ..., tick ()...
(gdb) info breakpoints
	stop only if counter == 300 (target evals)
	breakpoint already hit 1 time
(gdb) delete
(gdb) set dprintf-style agent
(gdb) dprintf rare,"rare(%ld) at %ld\n", n, counter
(gdb) break tick
(gdb) set var want = 3
(gdb) continue
rare(9) at 301
...hit Breakpoint ..., tick ()...
(gdb) info threads
...Thread 1.1 ...(CPU#0 [...])...
...Thread 1.2 ...(CPU#1 [...])...
(gdb) thread apply all backtrace 2
Thread 2 (Thread 1.2 ...(CPU#1 [...])):
#0 ...
Thread 1 (Thread 1.1 ...(CPU#0 [...])):
#0 ...
(gdb) kill
= 0

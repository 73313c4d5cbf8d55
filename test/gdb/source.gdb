# By source lines, types and variables: the debug package's vmlinux, handed out by the stub; KASLR, two CPUs.
$ @QUERN@ -s -S -m 512 -smp 2 -M pc,kaslr=on -seed 7 -vmlinux @VMLINUX@ -kernel @KERNEL@ -initrd @IMG@ -append "console=ttyS0 panic=-1" -display none -serial stdio -monitor none
(gdb) target remote :1234
Reading symbols from target:/guest/vmlinux...
(gdb) monitor files @MODULES@
(gdb) break init/main.c:@LINE@
Breakpoint 1 at 0xffffffff...: file init/main.c, line @LINE@.
(gdb) continue
...hit Breakpoint 1, start_kernel () at init/main.c:@LINE@
(gdb) list
... init/main.c...
(gdb) info locals
command_line = ...
(gdb) info line start_kernel
Line ... of "init/main.c" starts at address 0x... <start_kernel> ...
(gdb) delete
# A module's function before there is the module.
(gdb) set breakpoint pending on
(gdb) break drivers/net/dummy.c:dummy_setup
No ...
Breakpoint 2 (drivers/net/dummy.c:dummy_setup) pending.
(gdb) continue
...hit Breakpoint 2, dummy_setup (dev=...0x...) at drivers/net/dummy.c:...
(gdb) whatis dev->netdev_ops
type = const struct net_device_ops *
(gdb) info symbol dummy_setup
dummy_setup in section .text of target:...dummy.ko
(gdb) backtrace
#0  dummy_setup (dev=...) at drivers/net/dummy.c:...
#1  ...alloc_netdev_mqs (...) at net/core/dev.c:...
#... in do_init_module (mod=...) at kernel/module/main.c:...
#... in do_syscall_64 (regs=..., nr=...) at arch/x86/entry/common.c:...
(gdb) up
#1  ...alloc_netdev_mqs (...
(gdb) print txqs
$... = 1
(gdb) info locals
dev = ...
# It waits again when the module has gone, and is met when it comes back.
(gdb) set stop-on-solib-events 1
(gdb) continue
Stopped due to shared library event:
  Inferior unloaded target:...dummy.ko
(gdb) info breakpoints
2       breakpoint     keep y   <PENDING>          drivers/net/dummy.c:dummy_setup
(gdb) set stop-on-solib-events 0
(gdb) continue
...hit Breakpoint 2, dummy_setup (dev=...) at drivers/net/dummy.c:...
(gdb) delete
# finish, and what was returned.
(gdb) tbreak alloc_pid
(gdb) continue
...hit Temporary breakpoint 3, alloc_pid (ns=..., ...) at kernel/pid.c:...
(gdb) finish
Value returned is $... = (struct pid *) 0xffff...
(gdb) print $.count.refs.counter
$... = 1
# A variable that changes; per-CPU variables and what they point at.
(gdb) watch jiffies
(gdb) continue
...hit Hardware watchpoint 4: jiffies
Old value = ...
New value = ...
(gdb) backtrace
#0  do_timer (ticks=1) at kernel/time/timekeeping.c:...
#... in asm_sysvec_apic_timer_interrupt () at ./arch/x86/include/asm/idtentry.h:...
(gdb) delete
(gdb) ptype struct task_struct
type = struct task_struct {
    struct thread_info thread_info;
    struct mm_struct *mm;
(gdb) python cpu = gdb.selected_thread().ptid[1] - 1
(gdb) python task = gdb.parse_and_eval("*(struct task_struct **)((unsigned long)&current_task + __per_cpu_offset[%d])" % cpu)
(gdb) python print(task["comm"].string() in (gdb.selected_thread().name, gdb.selected_thread().name[:15]))
True
# Through an exception: a page fault of a program.
(gdb) tbreak handle_mm_fault
(gdb) continue
...hit Temporary breakpoint 5, handle_mm_fault (vma=...) at mm/memory.c:...
(gdb) backtrace
#0  handle_mm_fault (vma=...
#... in asm_exc_page_fault () at ./arch/x86/include/asm/idtentry.h:...
(gdb) kill
= 0

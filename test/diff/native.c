/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native.c - the host CPU as the reference: loads all registers, jumps into the snippet, and gets
 * everything back from the signal that ends it (every snippet ends in an exception: HLT if nothing
 * else). Handlers run on a stack of their own; FS and GS are switched with the instructions for it,
 * or by system calls where the host lets programs not use those. */
#include "diff.h"
#include <asm/prctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

void (*native_tick)(void);

#ifdef __x86_64__
/* Known to the assembly below by its offsets. There is one host CPU state per process. */
struct native_context {
	u64 gpr[16];	      /* 0 */
	u64 rip, flags;	      /* 128, 136 */
	u64 fsbase, gsbase;   /* 144, 152 */
	u64 host_rsp;	      /* 160 */
	u64 host_fs, host_gs; /* 168, 176 */
	u64 fsgsbase;	      /* 184: RDFSBASE and the like are enabled for user mode */
	struct fx_area fx;    /* 192 */
};
_Static_assert(offsetof(struct native_context, rip) == 128 &&
		       offsetof(struct native_context, host_rsp) == 160 &&
		       offsetof(struct native_context, fsgsbase) == 184 &&
		       offsetof(struct native_context, fx) == 192,
	       "the assembly's offsets");
struct native_context native_context __attribute__((visibility("hidden")));

void native_enter(void);
extern char native_back[] __attribute__((visibility("hidden")));
void native_handler(int sig, siginfo_t *info, void *uc);

__asm__(".text\n"
	".globl native_enter, native_handler\n"
	".hidden native_enter, native_handler, native_back\n"
	".type native_enter, @function\n"
	"native_enter:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	"
	"push %r15\n	pushfq\n"
	"	mov %rsp, native_context+160(%rip)\n"
	"	fxrstor64 native_context+192(%rip)\n"
	"	mov native_context+144(%rip), %rsi\n	call native_set_fs\n"
	"	mov native_context+152(%rip), %rsi\n	call native_set_gs\n"
	"	push native_context+136(%rip)\n	popfq\n"
	"	mov native_context+0(%rip), %rax\n	mov native_context+8(%rip), %rcx\n"
	"	mov native_context+16(%rip), %rdx\n	mov native_context+24(%rip), %rbx\n"
	"	mov native_context+32(%rip), %rsp\n	mov native_context+40(%rip), %rbp\n"
	"	mov native_context+48(%rip), %rsi\n	mov native_context+56(%rip), %rdi\n"
	"	mov native_context+64(%rip), %r8\n	mov native_context+72(%rip), %r9\n"
	"	mov native_context+80(%rip), %r10\n	mov native_context+88(%rip), %r11\n"
	"	mov native_context+96(%rip), %r12\n	mov native_context+104(%rip), %r13\n"
	"	mov native_context+112(%rip), %r14\n	mov native_context+120(%rip), %r15\n"
	"	jmp *native_context+128(%rip)\n"
	/* The handler returns here with the host's stack pointer. */
	"native_back:\n"
	"	cld\n	fninit\n"
	"	push $0x1f80\n	ldmxcsr (%rsp)\n	pop %rax\n"
	"	mov native_context+168(%rip), %rsi\n	call native_set_fs\n"
	"	mov native_context+176(%rip), %rsi\n	call native_set_gs\n"
	"	popfq\n	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop "
	"%rbp\n	pop %rbx\n	ret\n"
	".size native_enter, .-native_enter\n"
	/* C needs the host's FS (thread-local storage) and no alignment checks. */
	".type native_handler, @function\n"
	"native_handler:\n"
	"	pushfq\n	andl $~0x40500, (%rsp)\n	popfq\n"
	"	push %rbx\n"
	"	push %rdi\n	push %rsi\n	push %rdx\n	push %rdx\n"
	"	call native_get_fs\n	mov %rax, %rbx\n"
	"	mov native_context+168(%rip), %rsi\n	call native_set_fs\n"
	"	pop %rdx\n	pop %rdx\n	pop %rsi\n	pop %rdi\n"
	"	mov %rbx, %rcx\n"
	"	call native_signal\n"
	"	mov %rbx, %rsi\n	call native_set_fs\n"
	"	pop %rbx\n	ret\n"
	".size native_handler, .-native_handler\n"
	/* rsi = the new base; rax = the present one; all that calls may change are changed. 158 is
	 * arch_prctl, 0x1001 to 0x1003 are ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS. */
	"native_set_fs:\n"
	"	cmpq $0, native_context+184(%rip)\n	je 1f\n	wrfsbase %rsi\n	ret\n"
	"1:	mov $0x1002, %edi\n	mov $158, %eax\n	syscall\n	ret\n"
	"native_set_gs:\n"
	"	cmpq $0, native_context+184(%rip)\n	je 1f\n	wrgsbase %rsi\n	ret\n"
	"1:	mov $0x1001, %edi\n	mov $158, %eax\n	syscall\n	ret\n"
	"native_get_fs:\n"
	"	cmpq $0, native_context+184(%rip)\n	je 1f\n	rdfsbase %rax\n	ret\n"
	"1:	push %rax\n	mov %rsp, %rsi\n	mov $0x1003, %edi\n"
	"	mov $158, %eax\n	syscall\n	pop %rax\n	ret\n");

static volatile bool running;
static volatile u32 ticks;
static struct regs *result;
static volatile enum run_result how;
static int memory_fd = -1;
static u8 *pages; /* all of them, writable */

static void give_back(ucontext_t *uc)
{
	greg_t *g = uc->uc_mcontext.gregs;

	running = false;
	g[REG_RIP] = (greg_t)(uintptr_t)native_back;
	g[REG_RSP] = (greg_t)native_context.host_rsp;
	g[REG_EFL] = 0x202;
}

static void take(const ucontext_t *uc, u64 fs, u64 gs)
{
	static const u8 at[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
				   REG_R12, REG_R13, REG_R14, REG_R15 };
	const greg_t *g = uc->uc_mcontext.gregs;

	for (unsigned i = 0; i < 16; i++)
		result->gpr[i] = (u64)g[at[i]];
	result->rip = (u64)g[REG_RIP];
	result->flags = (u64)g[REG_EFL];
	result->fsbase = fs;
	result->gsbase = gs;
	result->vector = (int)g[REG_TRAPNO];
	result->error = (u32)g[REG_ERR];
	result->cr2 = (u64)g[REG_CR2];
	memcpy(&result->fx, uc->uc_mcontext.fpregs, sizeof(result->fx));
}

void native_signal(int sig, siginfo_t *info, void *context, u64 fs)
	__attribute__((used, visibility("hidden")));
void native_signal(int sig, siginfo_t *info, void *context, u64 fs)
{
	ucontext_t *uc = context;
	u64 rip = (u64)uc->uc_mcontext.gregs[REG_RIP], gs;

	if (syscall(SYS_arch_prctl, ARCH_GET_GS, &gs))
		gs = ~0ull;
	if (sig == SIGPROF) {
		if (running && ++ticks > 3) {
			how = RUN_TIMEOUT;
			give_back(uc);
		}
		if (native_tick)
			native_tick();
		return;
	}
	if (!running || (rip >= (uintptr_t)native_enter && rip < (uintptr_t)native_back)) {
		/* our own fault */
		signal(sig, SIG_DFL);
		return;
	}
	take(uc, fs, gs);
	/* a jump into the vsyscall page is the kernel's to judge */
	how = rip >> 12 == 0xffffffffff600 ? RUN_TIMEOUT : RUN_ENDED;
	give_back(uc);
}

static bool map_pages(void)
{
	memory_fd = memfd_create("snippet", 0);
	if (memory_fd < 0 || ftruncate(memory_fd, NPAGES * PAGE_BYTES))
		return false;
	pages = mmap(NULL, NPAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		     memory_fd, 0);
	if (pages == MAP_FAILED)
		return false;
	for (unsigned p = 0; p < NPAGES; p++) {
		const struct page_place *w = &page_places[p];
		int prot = PROT_READ | (w->write ? PROT_WRITE : 0) | (w->exec ? PROT_EXEC : 0);

		if (mmap((void *)(uintptr_t)w->va, PAGE_BYTES, prot,
			 MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, memory_fd,
			 p * PAGE_BYTES) != (void *)(uintptr_t)w->va)
			return false;
	}
	return true;
}

bool native_init(void)
{
	static u8 stack[64 << 10] __attribute__((aligned(64)));
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGPROF };
	const stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = native_handler,
				.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	native_context.fsgsbase = getauxval(AT_HWCAP2) & 2;
	if (syscall(SYS_arch_prctl, ARCH_GET_FS, &native_context.host_fs) ||
	    syscall(SYS_arch_prctl, ARCH_GET_GS, &native_context.host_gs))
		return false;
	if (sigaltstack(&ss, NULL) || !map_pages())
		return false;
	sigfillset(&sa.sa_mask);
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
	return true;
}

enum run_result native_run(const struct regs *in, const struct memory *mem, struct regs *out)
{
	struct native_context *c = &native_context;

	memcpy(pages, mem, sizeof(*mem));
	memcpy(c->gpr, in->gpr, sizeof(c->gpr));
	c->rip = in->rip;
	c->flags = in->flags;
	c->fsbase = in->fsbase;
	c->gsbase = in->gsbase;
	memcpy(&c->fx, &in->fx, sizeof(c->fx));
	/* page tables may have lost entries (fork copies none of shared mappings), and a fault's
	 * error code tells */
	for (unsigned p = 0; p < NPAGES; p++)
		*(volatile u8 *)(uintptr_t)page_places[p].va;
	/* the translator changes GS on this thread */
	if (syscall(SYS_arch_prctl, ARCH_GET_GS, &c->host_gs))
		abort();
	result = out;
	ticks = 0;
	running = true;
	native_enter();
	return how;
}

const u8 *native_page(unsigned page) { return pages + page * PAGE_BYTES; }
#else
static void tick(int sig)
{
	if (native_tick)
		native_tick();
}

bool native_init(void)
{
	signal(SIGPROF, tick);
	return false;
}

enum run_result native_run(const struct regs *in, const struct memory *mem, struct regs *out)
{
	return RUN_TIMEOUT;
}

const u8 *native_page(unsigned page) { return NULL; }
#endif

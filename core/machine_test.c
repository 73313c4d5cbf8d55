/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine_test.c - the loop: turns, timers, posts and descriptors that interrupt a busy guest,
 * sleeping, resets, exits. The guest is an instruction set whose steps are C functions (see
 * engine_double_test.c). */
#include "core/chardev.h"
#include "core/cpu.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/test.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct tcpu {
	struct cpu cpu;
	void (*step)(struct tcpu *c);
	u64 steps, irqs, resets;
	bool pending_irq;
};

static int tisa_init(struct cpu *cpu, const char *model, struct error *e) { return 0; }

static void tisa_reset(struct cpu *cpu) { ((struct tcpu *)cpu)->resets++; }

static bool tisa_pending(const struct cpu *cpu)
{
	return !cpu->halted && !cpu->stopped &&
	       !__atomic_load_n(&cpu->exit_request, __ATOMIC_ACQUIRE);
}

static void tisa_deliver(struct cpu *cpu)
{
	struct tcpu *c = (struct tcpu *)cpu;

	c->steps++;
	c->step(c);
}

static bool tisa_interrupt(struct cpu *cpu)
{
	struct tcpu *c = (struct tcpu *)cpu;
	bool took = c->pending_irq;

	c->pending_irq = false;
	c->irqs += took;
	return took;
}

static bool tisa_has_work(struct cpu *cpu) { return ((struct tcpu *)cpu)->pending_irq; }

static void tisa_set_line(struct cpu *cpu, unsigned line, int level)
{
	if (level)
		((struct tcpu *)cpu)->pending_irq = true;
}

static unsigned tisa_class(u32 mode) { return 0; }

static u64 tisa_pc_mask(u32 mode) { return ~0ull; }

static const struct isa tisa = {
	.name = "test",
	.cpu_size = sizeof(struct tcpu),
	.flags_slot = 0xffff,
	.page_bits = 12,
	.init = tisa_init,
	.reset = tisa_reset,
	.pc_mask = tisa_pc_mask,
	.mode_class = tisa_class,
	.fetch_context = tisa_class,
	.exception_pending = tisa_pending,
	.deliver = tisa_deliver,
	.interrupt = tisa_interrupt,
	.has_work = tisa_has_work,
	.set_line = tisa_set_line,
};
ISA(tisa);

static struct tcpu *cpus[8];
static struct machine *make(unsigned n, void (*step)(struct tcpu *c))
{
	static const struct engine_options opt = { .tier = 0 };
	struct machine *m = machine_new();

	m->isa = isa_find("test");
	m->cpu = xcalloc(n, sizeof(*m->cpu));
	m->ncpus = n;
	CHECK(engine_new(m, &opt, NULL));
	for (unsigned i = 0; i < n; i++) {
		cpus[i] = NEW(struct tcpu);
		cpus[i]->cpu.isa = m->isa;
		cpus[i]->cpu.machine = m;
		cpus[i]->cpu.index = i;
		cpus[i]->step = step;
		m->cpu[i] = &cpus[i]->cpu;
		CHECK_EQ(engine_add_cpu(m->engine, m->cpu[i]), 0);
	}
	return m;
}

static void spin(struct tcpu *c) {}

static void halt(struct tcpu *c) { c->cpu.halted = true; }

static double cpu_seconds(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_utime.tv_sec + ru.ru_stime.tv_sec +
	       (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

/* ---- timers */

struct tick {
	struct timer t;
	struct machine *m;
	unsigned n, until;
	u64 period, start, worst;
};
static struct tick tick;

static void on_tick(void *dev)
{
	u64 late = clock_now(&tick.m->clock) - (tick.start + (tick.n + 1) * tick.period);

	tick.worst = MAX(tick.worst, late);
	if (++tick.n == tick.until)
		machine_request_shutdown(tick.m, CAUSE_GUEST_SHUTDOWN);
	else
		clock_timer_start(&tick.m->clock, &tick.t, tick.start + (tick.n + 1) * tick.period);
}

static void start_ticks(struct machine *m, unsigned n, u64 period)
{
	tick = (struct tick){ .m = m, .until = n, .period = period, .t.fire = on_tick };
	clock_timer_start(&m->clock, &tick.t, period);
}

TEST(machine_timers_interrupt_a_busy_guest)
{
	struct machine *m = make(1, spin);

	start_ticks(m, 50, 2000000);
	CHECK_EQ(machine_run(m), 0);
	CHECK_EQ(tick.n, 50);
	CHECK(clock_now(&m->clock) >= 100000000);
	CHECK(cpus[0]->steps > 1000);
	machine_free(m);
}

TEST(machine_sleeps_when_all_halt)
{
	struct machine *m = make(2, halt);
	double before = cpu_seconds();

	start_ticks(m, 20, 10000000);
	CHECK_EQ(machine_run(m), 0);
	CHECK_EQ(cpus[0]->steps, 1);
	CHECK(cpu_seconds() - before < 0.1);
	machine_free(m);
}

/* A timer that a step starts, earlier than the one that the wait was armed for. */
static void arm_once(struct tcpu *c)
{
	if (c->steps == 1)
		clock_timer_start(&c->cpu.machine->clock, &tick.t,
				  clock_now(&c->cpu.machine->clock) + 1000000);
}

TEST(machine_timers_started_while_running)
{
	struct machine *m = make(1, arm_once);
	struct timer far = { .fire = on_tick };

	clock_timer_start(&m->clock, &far, 60000000000ull);
	tick = (struct tick){ .m = m, .until = 1, .t.fire = on_tick };
	CHECK_EQ(machine_run(m), 0);
	CHECK(clock_now(&m->clock) < 5000000000ull);
	machine_free(m);
}

/* Counted time does not depend on the host: a halted machine jumps to its deadlines. */
TEST(machine_counted_time_warps)
{
	struct machine *m = make(1, halt);
	double before = cpu_seconds();

	m->clock.counted = true;
	start_ticks(m, 1000, 1000000000);
	CHECK_EQ(machine_run(m), 0);
	CHECK_EQ(clock_now(&m->clock), 1000 * 1000000000ull);
	CHECK_EQ(tick.worst, 0);
	CHECK(cpu_seconds() - before < 1);
	machine_free(m);
}

/* ---- turns */

/* Ends when every CPU had its turns; a busy host gives all of them few. */
static void on_turns(void *dev)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < 4; i++)
		ready += cpus[i]->steps > 100;
	if (ready == 4 || ++tick.n == 500)
		machine_request_shutdown(tick.m, CAUSE_GUEST_SHUTDOWN);
	else
		clock_timer_start(&tick.m->clock, &tick.t, clock_now(&tick.m->clock) + tick.period);
}

TEST(machine_cpus_take_turns)
{
	struct machine *m = make(4, spin);

	tick = (struct tick){ .m = m, .period = 20000000, .t.fire = on_turns };
	clock_timer_start(&m->clock, &tick.t, tick.period);
	CHECK_EQ(machine_run(m), 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK(cpus[i]->steps > 100);
	machine_free(m);
}

static void ipi(struct tcpu *c)
{
	struct machine *m = c->cpu.machine;

	if (c->cpu.index == 0 && !cpus[1]->irqs && c->steps % 1000 == 1)
		cpu_set_line(m->cpu[1], CPU_LINE_INTR, 1);
	if (c->cpu.index == 1 && !c->irqs)
		c->cpu.halted = true;
	else if (c->cpu.index == 1)
		machine_exit(m, 33);
}

TEST(machine_lines_wake_a_halted_cpu)
{
	struct machine *m = make(2, ipi);

	cpus[1]->cpu.halted = true;
	CHECK_EQ(machine_run(m), 33);
	CHECK_EQ(cpus[1]->irqs, 1);
	machine_free(m);
}

/* ---- posts and descriptors */

static unsigned posted;
static void count_post(void *arg)
{
	struct machine *m = arg;

	if (++posted == 5000)
		machine_request_shutdown(m, CAUSE_HOST_QUIT);
}

static void *poster(void *arg)
{
	for (unsigned i = 0; i < 2500; i++)
		machine_post(arg, count_post, arg);
	return NULL;
}

static void posts_with(void (*step)(struct tcpu *c))
{
	struct machine *m = make(2, step);
	pthread_t a, b;

	posted = 0;
	CHECK_EQ(pthread_create(&a, NULL, poster, m), 0);
	CHECK_EQ(pthread_create(&b, NULL, poster, m), 0);
	CHECK_EQ(machine_run(m), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	CHECK_EQ(posted, 5000);
	machine_free(m);
}

TEST(machine_posts_while_busy) { posts_with(spin); }

TEST(machine_posts_while_idle) { posts_with(halt); }

struct echo {
	struct machine *m;
	int in, out;
	unsigned got;
};

static void echo_ready(void *arg, short events)
{
	struct echo *e = arg;
	char byte;

	CHECK(events & POLLIN);
	CHECK_EQ(read(e->in, &byte, 1), 1);
	if (++e->got == 2000)
		machine_exit(e->m, 7);
	else
		CHECK_EQ(write(e->out, &byte, 1), 1);
}

static void fds_with(void (*step)(struct tcpu *c))
{
	struct machine *m = make(1, step);
	struct echo e = { .m = m };
	int p[2];

	CHECK_EQ(pipe(p), 0);
	e.in = p[0];
	e.out = p[1];
	machine_poll_fd(m, e.in, POLLIN, echo_ready, &e);
	CHECK_EQ(write(e.out, "x", 1), 1);
	CHECK_EQ(machine_run(m), 7);
	CHECK_EQ(e.got, 2000);
	machine_poll_fd(m, e.in, 0, NULL, NULL);
	machine_free(m);
}

TEST(machine_descriptors_while_busy) { fds_with(spin); }

TEST(machine_descriptors_while_idle) { fds_with(halt); }

/* A regular file, which epoll refuses, is read to its end and taken off. */
static void file_ready(void *arg, short events)
{
	struct echo *e = arg;
	char buf[1000];
	ssize_t n = read(e->in, buf, sizeof(buf));

	CHECK(n >= 0);
	e->got += n;
	if (n)
		return;
	machine_poll_fd(e->m, e->in, 0, NULL, NULL);
	machine_exit(e->m, 0);
}

TEST(machine_descriptors_of_files)
{
	struct machine *m = make(1, halt);
	struct echo e = { .m = m, .in = open("Makefile", O_RDONLY) };

	if (e.in < 0)
		test_skip("not started in the source tree");
	machine_poll_fd(m, e.in, POLLIN, file_ready, &e);
	CHECK_EQ(machine_run(m), 0);
	CHECK_EQ(e.got, lseek(e.in, 0, SEEK_END));
	machine_free(m);
}

/* ---- how it ends */

static char events[512];
static void note_event(struct machine *m, const char *name, const char *json)
{
	strncat(events, name, sizeof(events) - strlen(events) - 1);
	strncat(events, " ", sizeof(events) - strlen(events) - 1);
}

static void reset_at_10(struct tcpu *c)
{
	if (c->steps == 10)
		machine_request_reset(c->cpu.machine, CAUSE_GUEST_RESET);
	if (c->steps == 20)
		machine_request_shutdown(c->cpu.machine, CAUSE_GUEST_SHUTDOWN);
}

static void count_hook(void *arg) { ++*(unsigned *)arg; }

TEST(machine_guest_reset)
{
	struct machine *m = make(1, reset_at_10);
	unsigned hooks = 0;
	struct reset_hook h = { .fn = count_hook, .arg = &hooks };

	m->event = note_event;
	machine_add_reset(m, &h);
	CHECK_EQ(machine_run(m), 0);
	CHECK_EQ(cpus[0]->resets, 2);
	CHECK_EQ(hooks, 2);
	CHECK_EQ(cpus[0]->steps, 20);
	CHECK_STR(events, "RESUME RESET SHUTDOWN ");
	machine_free(m);
}

static void watchdog_at_10(struct tcpu *c)
{
	if (c->steps == 10)
		machine_watchdog_expired(c->cpu.machine);
	if (c->steps == 20)
		machine_request_shutdown(c->cpu.machine, CAUSE_GUEST_SHUTDOWN);
}

static u64 after_watchdog(enum machine_action action, const char *told)
{
	struct machine *m = make(1, watchdog_at_10);
	u64 steps;

	events[0] = 0;
	m->actions.watchdog = action;
	m->event = note_event;
	CHECK_EQ(machine_run(m), 0);
	CHECK_STR(events, told);
	steps = cpus[0]->steps;
	machine_free(m);
	return steps;
}

TEST(machine_watchdog)
{
	CHECK_EQ(after_watchdog(ACTION_RESET, "RESUME WATCHDOG RESET SHUTDOWN "), 20);
	CHECK_EQ(after_watchdog(ACTION_NONE, "RESUME WATCHDOG SHUTDOWN "), 20);
	CHECK_EQ(after_watchdog(ACTION_POWEROFF, "RESUME WATCHDOG SHUTDOWN "), 10);
	CHECK_EQ(after_watchdog(ACTION_SHUTDOWN, "RESUME WATCHDOG POWERDOWN SHUTDOWN "), 20);
	CHECK_EQ(after_watchdog(ACTION_INJECT_NMI, "RESUME WATCHDOG SHUTDOWN "), 20);
}

TEST(machine_no_reboot)
{
	struct machine *m = make(1, reset_at_10);

	m->actions.reboot = ACTION_SHUTDOWN;
	m->event = note_event;
	CHECK_EQ(machine_run(m), 0);
	CHECK_EQ(cpus[0]->steps, 10);
	CHECK_STR(events, "RESUME SHUTDOWN ");
	machine_free(m);
}

static void panic_at_once(struct tcpu *c)
{
	if (c->steps == 1)
		machine_guest_panicked(c->cpu.machine);
	if (c->steps == 5)
		machine_exit(c->cpu.machine, 55);
}

static int panic_with(u8 action)
{
	struct machine *m = make(1, panic_at_once);
	int code;

	m->actions.panic = action;
	code = machine_run(m);
	machine_free(m);
	return code;
}

TEST(machine_panic_actions)
{
	CHECK_EQ(panic_with(ACTION_SHUTDOWN), 0);
	CHECK_EQ(panic_with(ACTION_EXIT_FAILURE), 1);
	CHECK_EQ(panic_with(ACTION_NONE), 55);
}

static void quit_post(void *arg) { machine_request_shutdown(arg, CAUSE_HOST_SIGNAL); }

static void check_paused(void *arg)
{
	struct machine *m = arg;

	CHECK_EQ(m->state, RUN_SHUTDOWN);
	CHECK(!m->clock.running);
	machine_post(m, quit_post, m);
}

static void *check_later(void *arg)
{
	usleep(50000);
	machine_post(arg, check_paused, arg);
	return NULL;
}

static void shutdown_now(struct tcpu *c)
{
	machine_request_shutdown(c->cpu.machine, CAUSE_GUEST_SHUTDOWN);
}

TEST(machine_no_shutdown_pauses)
{
	struct machine *m = make(1, shutdown_now);
	double before = cpu_seconds();
	pthread_t t;

	m->actions.shutdown = ACTION_PAUSE;
	m->event = note_event;
	CHECK_EQ(pthread_create(&t, NULL, check_later, m), 0);
	CHECK_EQ(machine_run(m), 0);
	pthread_join(t, NULL);
	CHECK_STR(events, "RESUME SHUTDOWN STOP SHUTDOWN ");
	CHECK(cpu_seconds() - before < 0.1);
	machine_free(m);
}

static void cont_post(void *arg)
{
	struct machine *m = arg;

	CHECK_EQ(m->state, RUN_PRELAUNCH);
	CHECK_EQ(cpus[0]->steps, 0);
	machine_cont(m);
}

TEST(machine_held_at_start)
{
	struct machine *m = make(1, shutdown_now);

	machine_stop(m, RUN_PRELAUNCH);
	machine_post(m, cont_post, m);
	CHECK_EQ(machine_run(m), 0);
	CHECK(cpus[0]->steps > 0);
	machine_free(m);
}

TEST(machine_power_button)
{
	struct machine *m = make(1, spin);
	unsigned pressed = 0;
	struct reset_hook h = { .fn = count_hook, .arg = &pressed };

	machine_add_powerdown(m, &h);
	machine_request_powerdown(m);
	start_ticks(m, 1, 1000000);
	CHECK_EQ(machine_run(m), 0);
	CHECK_EQ(pressed, 1);
	machine_free(m);
}

TEST(machine_random_follows_the_seed)
{
	struct machine *a = machine_new(), *b = machine_new();
	u8 x[64], y[64];

	a->seed_set = b->seed_set = true;
	a->seed = b->seed = 99;
	machine_random(a, x, 64);
	machine_random(b, y, 32);
	machine_random(b, y + 32, 32);
	CHECK_MEM(x, y, 64);
	a->seed_set = false;
	machine_random(a, y, 64);
	CHECK(memcmp(x, y, 64));
	machine_free(a);
	machine_free(b);
}

TEST(machine_two_in_one_process)
{
	struct machine *a = make(1, shutdown_now), *b;
	struct tcpu *of_a = cpus[0];

	b = make(1, reset_at_10);
	CHECK_EQ(machine_run(a), 0);
	CHECK_EQ(of_a->steps > 0, true);
	CHECK_EQ(cpus[0]->steps, 0);
	CHECK_EQ(machine_run(b), 0);
	CHECK_EQ(cpus[0]->steps, 20);
	machine_free(a);
	machine_free(b);
}

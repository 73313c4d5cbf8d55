/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb_fuzz.c - fuzzes the debugger stub: what two debuggers send to a machine with two CPUs and a
 * known guest system. Run by make fuzz-gdb. The input is a list of lines: a packet's body each, for
 * which the frame is made here; one that begins with ~ goes raw; @ changes the debugger; & lets the
 * machine run for a moment. */
#include "gdb/test_rig_test.c"
#include <stdarg.h>

/* The harness of unit tests is not there. */
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "%s:%d: ", file, line);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

static void end(void *arg) { machine_request_shutdown(arg, CAUSE_HOST_QUIT); }

/* Until the next turn: posts of the stub itself come first. */
static void run_a_moment(struct rig *r)
{
	machine_post(r->m, end, r->m);
	machine_run(r->m);
}

static void line(struct rig *r, struct rig_peer *p, const char *text, size_t n)
{
	struct strbuf b = { 0 };

	if (n && *text == '~') {
		rig_raw(p, text + 1, n - 1);
	} else {
		gdb_frame(&b, '$', text, n);
		rig_raw(p, b.at, b.n);
		strbuf_fini(&b);
	}
	p->got.n = 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const char *p = (const char *)data, *end_of = p + size;
	static struct rig *r;
	unsigned who = 0, runs = 0;

	if (!r) {
		r = rig_new(2);
		rig_know(r);
	}
	if (!r->peer[0].open)
		rig_open(&r->peer[0]);
	while (p < end_of) {
		const char *nl = memchr(p, '\n', end_of - p);
		size_t n = (nl ? nl : end_of) - p;

		if (n && *p == '@') {
			who ^= 1;
			if (!r->peer[who].open)
				rig_open(&r->peer[who]);
		} else if (n && *p == '&') {
			if (runs++ < 4)
				run_a_moment(r);
		} else {
			line(r, &r->peer[who], p, n);
		}
		p += n + 1;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(r->peer); i++) {
		if (r->peer[i].open)
			chardev_event(&r->peer[i].chr, CHARDEV_CLOSED);
		r->peer[i].open = false;
		r->peer[i].got.n = 0;
	}
	/* whatever happened, nothing of the debuggers is left */
	if (debug_of(r->m)->nexec > 3 || debug_of(r->m)->nwatch)
		abort();
	r->m->shutdown_requested = false;
	gdb_describe(r->g, &rig_isa, NULL);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor_fuzz.c - libFuzzer target: what is typed into the human monitor (first byte even) or sent
 * to QMP (odd) of a PC whose CPUs do not run. Files can be made only where nobody may make them.
 * Run: make fuzz-monitor
 */
#include "board/board.h"
#include "core/chardev.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "mon/monitor.h"
#include <stdlib.h>
#include <sys/fsuid.h>

enum { INPUTS = 200, NOBODY = 65534 };

static struct machine *m;
static struct monitors *k;
static struct chardev *human, *qmp;
static unsigned inputs;

static void start(void)
{
	struct board_config config = { .ram_size = 16 << 20, .cpus = 2, .direct_boot = true };
	struct error e = { 0 };

	m = machine_new();
	if (board_build(m, board_find("pc"), &config, &e))
		abort();
	machine_reset(m);
	human = chardev_ringbuf(m, "human", 65536, &e);
	qmp = chardev_ringbuf(m, "qmp", 65536, &e);
	k = monitors_new(m);
	monitor_human(k, human);
	monitor_qmp(k, qmp, false);
}

static void end(void)
{
	machine_free(m);
	monitors_free(k);
	m = NULL;
}

static void feed(struct chardev *c, const void *data, size_t n)
{
	while (n) {
		int took = ringbuf_write(c, data, (int)MIN(n, (size_t)1024));

		if (took <= 0)
			abort();
		data = (const u8 *)data + took;
		n -= (size_t)took;
	}
}

/* What waits for somebody outside. */
static bool blocks(const u8 *data, size_t size)
{
	static const char *const words[] = { "chardev-add", "gdbserver", "dump-guest-memory",
					     ".so" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (memmem(data, size, words[i], strlen(words[i])))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char hello[] = "\xff{\"execute\":\"qmp_capabilities\"}";

	if (!size || blocks(data, size))
		return 0;
	if (!m)
		start();
	setfsuid(NOBODY);
	if (data[0] & 1) {
		feed(qmp, hello, sizeof(hello) - 1);
		feed(qmp, data + 1, size - 1);
	} else {
		feed(human, data + 1, size - 1);
		feed(human, "\r", 1);
	}
	setfsuid(0);
	if (++inputs % INPUTS == 0)
		end();
	return 0;
}

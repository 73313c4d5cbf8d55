/* SPDX-License-Identifier: GPL-2.0-or-later */
/* translator.c - what the translator has done. */
#include "core/command.h"
#include "core/machine.h"
#include "lib/error.h"
#include <errno.h>

static int info_jit(struct command_call *c, struct error *e)
{
	struct engine_stats s = { 0 };

	if (!c->m->engine)
		return error_ret(e, -ENOTSUP, "nothing is translated: the machine has no engine");
	engine_stats(c->m->engine, &s);
	command_print(c,
		      "units translated     %llu\n"
		      "guest code           %llu bytes\n"
		      "host code            %llu bytes\n"
		      "time to translate    %llu us\n"
		      "flushes of the cache %llu\n"
		      "units invalidated    %llu\n"
		      "slow look-ups        %llu\n",
		      (unsigned long long)s.units, (unsigned long long)s.guest_bytes,
		      (unsigned long long)s.host_bytes, (unsigned long long)s.translate_ns / 1000,
		      (unsigned long long)s.flushes, (unsigned long long)s.invalidated,
		      (unsigned long long)s.lookups);
	return 0;
}
COMMAND(info_jit, .hmp = "info jit", .run = info_jit, .doc = "show what the translator has done");

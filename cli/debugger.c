/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debugger.c - opens the debugger stub at what -s, -gdb and a monitor's gdbserver name. */
#include "cli/debugger.h"
#include "core/chardev.h"
#include "core/cpu.h"
#include "core/gdbserver.h"
#include "host/chardev.h"
#include "lib/str.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* A TCP address is one at which debuggers connect, whatever it says. */
static int make_backend(struct machine *m, const char *dev, const char *id, struct chardev **c,
			struct error *e)
{
	struct keyvals kv = { 0 };
	int err = host_chardev_spec(&kv, dev, e);

	keyvals_set(&kv, "id", id);
	if (!err && str_prefix(dev, "tcp:", NULL)) {
		keyvals_set(&kv, "server", "on");
		keyvals_set(&kv, "wait", "off");
		keyvals_set(&kv, "nodelay", "on");
	}
	if (!err) {
		*c = host_chardev_new(m, &kv, e);
		err = *c ? 0 : -EINVAL;
	}
	keyvals_fini(&kv);
	return err;
}

static int listen_at(struct debugger *d, const char *dev, struct error *e)
{
	struct chardev *c = NULL;
	const char *name;
	int err = 0;

	if (str_eq(dev, "none"))
		return 0;
	if (str_prefix(dev, "chardev:", &name)) {
		c = chardev_claim(d->m, name, e);
		if (!c)
			return -EINVAL;
		gdb_listen(d->gdb, c, false);
		return 0;
	}
	AUTO_FREE char *id = xasprintf(d->opened ? "gdb%u" : "gdb", d->opened);

	err = make_backend(d->m, dev, id, &c, e);
	if (err)
		return err;
	d->opened++;
	gdb_listen(d->gdb, c, true);
	return 0;
}

/* From a monitor, which may be a debugger's own. */
static int reopen(void *arg, const char *dev, struct error *e)
{
	struct debugger *d = arg;

	if (gdb_close(d->gdb))
		return error_ret(e, -EBUSY,
				 "a debugger cannot close its own connection: detach, and use "
				 "another monitor");
	d->opened = 0;
	return listen_at(d, dev, e);
}

/* Where modules of the kernel may lie: beside /boot, or in the tree where the kernel was built. */
static void add_files(struct debugger *d, const char *kernel)
{
	char dir[PATH_MAX];
	char *slash, *arch;

	if (!kernel || !realpath(kernel, dir))
		return;
	slash = strrchr(dir, '/');
	*slash = 0;
	arch = strstr(dir, "/arch/");
	if (arch && strstr(arch, "/boot")) {
		*arch = 0;
		gdb_add_files(d->gdb, dir);
	} else if (str_suffix(dir, "/boot")) {
		AUTO_FREE char *lib = xasprintf("%.*s/lib/modules", (int)strlen(dir) - 5, dir);
		AUTO_FREE char *usr = xasprintf("%.*s/usr/lib/modules", (int)strlen(dir) - 5, dir);

		gdb_add_files(d->gdb, lib);
		gdb_add_files(d->gdb, usr);
	}
}

int debugger_make(struct debugger *d, struct machine *m, const struct settings *s, struct error *e)
{
	int err = 0;

	d->m = m;
	d->gdb = gdb_new(m);
	/* Scripts for other emulators expect CPUs alone. */
	gdb_show_tasks(d->gdb, s->native);
	if (s->registers)
		gdb_describe(d->gdb, isa_find(s->registers), NULL);
	add_files(d, s->kernel);
	gdbserver_set(m, reopen, d);
	for (size_t i = 0; i < s->debuggers.n && !err; i++) {
		err = listen_at(d, s->debuggers.at[i], e);
		if (err)
			error_prefix(e, "-gdb %s", s->debuggers.at[i]);
	}
	return err;
}

void debugger_fini(struct debugger *d)
{
	gdb_free(d->gdb);
	d->gdb = NULL;
}

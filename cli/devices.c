/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices.c - devices of the command line: creation, settings, -global. */
#include "cli/devices.h"
#include "boot/boot.h"
#include "core/device_add.h"
#include "core/reg.h"
#include "core/fault.h"
#include "core/user_object.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

/* ---- -global */

void globals_set(struct machine *m, const struct settings *s)
{
	for (size_t i = 0; i < s->globals.n; i++) {
		struct keyvals *g = &s->globals.at[i];

		device_global(m, keyvals_get(g, "driver"), keyvals_get(g, "property"),
			      keyvals_get(g, "value"));
	}
}

/* What a -global named must not vanish without a word. */
static void unused_global(void *arg, const char *driver, const char *key, const char *value)
{
	warn("-global %s.%s=%s has no effect: there is no device '%s'%s", driver, key, value,
	     driver, device_class_find(driver) ? " in this machine" : "");
}

/* ---- -device */

int objects_make(struct machine *m, const struct settings *s, struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < s->objects.n && !err; i++) {
		struct keyvals *kv = &s->objects.at[i];

		err = object_make(m, kv, e);
		if (err)
			error_prefix(e, "-object %s", keyvals_get(kv, "qom-type"));
	}
	return err;
}

int devices_make(struct machine *m, const struct settings *s, struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < s->devices.n && !err; i++) {
		struct keyvals *kv = &s->devices.at[i];

		if (is_loader(kv))
			continue;
		err = device_add(m, kv, e) ? 0 : -EINVAL;
		if (err) {
			AUTO_FREE char *text = keyvals_text(kv);
			const char *rest = text;

			str_prefix(text, "driver=", &rest);
			error_prefix(e, "-device %s", rest);
		}
	}
	if (!err)
		device_globals_unused(m, unused_global, NULL);
	return err;
}

/* ---- loader */

bool is_loader(struct keyvals *device) { return str_eq(keyvals_get(device, "driver"), "loader"); }

int loader_settings(struct boot_loader *l, struct keyvals *device, struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < device->n && !err; i++) {
		const struct keyval *kv = &device->at[i];

		if (!str_eq(kv->key, "driver") && !str_eq(kv->key, "id"))
			err = boot_loader_set(l, kv->key, kv->value, e);
	}
	if (!err)
		err = boot_loader_check(l, e);
	if (err)
		error_prefix(e, "-device loader");
	return err;
}

/* ---- trace and fault patterns */

struct match {
	struct machine *m;
	const char *glob;
	bool found;
};

/* name is CLASS.point, or a point of no device; a pattern may also name ID.point. */
static void match_name(struct match *t, const char *name)
{
	const char *dot = strchr(name, '.');
	struct device_core *c;

	t->found |= str_glob(t->glob, name);
	if (t->found || !dot)
		return;
	list_for_each (c, &t->m->devices, link) {
		char full[160];

		snprintf(full, sizeof(full), "%s%s", c->dev->id, dot);
		t->found |= str_glob(t->glob, full);
	}
}

static void match_trace(void *arg, const char *name, bool on) { match_name(arg, name); }

/* Registers that devices have made in their init are in no class. */
static void match_registers(struct match *t)
{
	struct device_core *c;
	struct regbank *b;

	list_for_each (c, &t->m->devices, link) {
		list_for_each (b, &c->regbanks, link) {
			for (const struct reg *r = b->bank->regs; r && r->name; r++) {
				char full[160];

				snprintf(full, sizeof(full), "%s.%s", c->dev->id, r->name);
				t->found |= str_glob(t->glob, full);
			}
		}
	}
}

void traces_check(struct machine *m, const struct settings *s)
{
	for (size_t i = 0; i < s->traces.n; i++) {
		struct match t = { .m = m, .glob = s->traces.at[i] };

		if (*t.glob == '-')
			continue;
		trace_list(match_trace, &t);
		match_registers(&t);
		if (!t.found)
			warn("-trace %s selects nothing: -trace help lists all points", t.glob);
	}
}

int faults_arm(struct machine *m, const struct settings *s, struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < s->faults.n && !err; i++) {
		AUTO_FREE char *pattern = xstrndup(s->faults.at[i], strcspn(s->faults.at[i], ","));

		err = fault_arm(m, s->faults.at[i], e);
		if (err)
			error_prefix(e, "-fault %s", s->faults.at[i]);
		else if (!fault_kinds(m, pattern))
			warn("-fault %s selects nothing: -fault help and quern doc DEVICE list the "
			     "points",
			     pattern);
	}
	return err;
}

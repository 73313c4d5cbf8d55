/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices.c - commands about devices: adding, removing, their registers by name and field, and what
 * no register tells. */
#include "core/command_settings.h"
#include "core/cpu.h"
#include "core/device_add.h"
#include "core/irq.h"
#include "core/machine.h"
#include "core/reg.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/keyval.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

/* ---- device_add, device_del */

struct words {
	void (*fn)(void *arg, const char *word);
	void *arg;
};

static void add_class(void *arg, const struct device_class *c)
{
	const struct words *w = arg;

	if (c->bus)
		w->fn(w->arg, c->name);
}

static void complete_classes(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	device_class_each(add_class, &(struct words){ fn, arg });
}

static void complete_devices(struct machine *m, void (*fn)(void *arg, const char *word), void *arg)
{
	struct device_core *c;

	list_for_each (c, &m->devices, link)
		fn(arg, c->dev->id);
}

static void print_prop(void *arg, const char *name, const char *type, const char *def,
		       const char *doc)
{
	command_print(arg, "  %s=<%s> - %s%s%s%s\n", name, type, doc, *def ? " (default: " : "",
		      def, *def ? ")" : "");
}

static void print_class(void *arg, const struct device_class *k)
{
	if (k->bus)
		command_print(arg, "name \"%s\", bus %s, desc \"%s\"\n", k->name, k->bus,
			      k->doc ? k->doc : "");
}

/* device_add help, device_add X,help */
static bool add_help(struct command_call *c, const char *driver)
{
	const struct device_class *k = device_class_find(driver);

	if (c->s->qmp)
		return false;
	if (str_eq(driver, "help") || str_eq(driver, "?")) {
		device_class_each(print_class, c);
		return true;
	}
	if (!k || !(call_has(c, "help") || call_has(c, "?")))
		return false;
	command_print(c, "%s options:\n", k->name);
	device_help(k, print_prop, c);
	return true;
}

static const struct command_arg add_args[] = { { "driver", ARG_KEYVALS }, {} };
static int add(struct command_call *c, struct error *e)
{
	struct keyvals kv = { 0 };
	const char *driver = call_str(c, "driver");
	int err = driver && *driver ? command_settings(c->args, &kv, e) :
				      error_ret(e, -EINVAL, "Parameter 'driver' is missing");

	if (!err && add_help(c, driver)) {
		keyvals_fini(&kv);
		return 0;
	}
	if (!err && !device_class_find(driver) && !str_suffix(driver, ".so"))
		err = error_ret(e, -EINVAL, "'%s' is not a valid device model name", driver);
	if (!err && !device_add(c->m, &kv, e))
		err = -EINVAL;
	keyvals_fini(&kv);
	return err;
}
COMMAND(device_add, .hmp = "device_add", .qmp = "device_add", .args = add_args, .run = add,
	.complete = complete_classes,
	.doc = "add a device, as -device; the guest finds it when it looks at the bus");

static int info_qdm(struct command_call *c, struct error *e)
{
	device_class_each(print_class, c);
	return 0;
}
COMMAND(info_qdm, .hmp = "info qdm", .run = info_qdm, .doc = "show the devices that can be added");

static void add_prop(void *arg, const char *name, const char *type, const char *def,
		     const char *doc)
{
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s}", "name", name, "type", type,
					     "description", doc));
}

static const struct command_arg type_args[] = { { "typename", ARG_STRING }, {} };
static int list_properties(struct command_call *c, struct error *e)
{
	const struct device_class *k = device_class_find(call_str(c, "typename"));

	if (!k)
		return error_ret(e, -ENODEV, "Device '%s' not found", call_str(c, "typename"));
	c->result = json_array();
	device_help(k, add_prop, c->result);
	return 0;
}
COMMAND(list_properties, .qmp = "device-list-properties", .args = type_args, .run = list_properties,
	.doc = "the settings of a device");

static const struct command_arg id_args[] = { { "id", ARG_STRING }, {} };
static int del(struct command_call *c, struct error *e)
{
	struct device *d = device_find(c->m, call_str(c, "id"));

	if (!d)
		return error_ret(e, -ENODEV, "Device '%s' not found", call_str(c, "id"));
	return device_unplug(d, e);
}
COMMAND(device_del, .hmp = "device_del", .qmp = "device_del", .args = id_args, .run = del,
	.complete = complete_devices, .doc = "ask the guest to let go of a device");

/* ---- registers */

static json_t *fields_of(const struct reg *r, u64 val)
{
	json_t *fields = json_object();

	for (const struct field *f = r->fields; f && f->name; f++)
		json_object_set_new(fields, f->name,
				    json_integer((json_int_t)FIELD_GET(f->mask, val)));
	return fields;
}

static void add_reg(json_t *to, const struct device *d, const struct bank *bank,
		    const struct reg *r, const char *only)
{
	for (unsigned i = 0; i < MAX(r->count, 1u); i++) {
		AUTO_FREE char *name =
			r->count > 1 ? xasprintf("%s[%u]", r->name, i) : xstrdup(r->name);
		json_t *item;

		if (only && !str_eq(only, r->name) && !str_eq(only, name))
			continue;
		item = json_pack("{s:s, s:I, s:i}", "name", name, "offset",
				 (json_int_t)reg_place(bank, r, i), "size", r->size);
		/* what only reading tells may change something: not here */
		if (!r->novalue) {
			u64 val = reg_peek(d, r, i);

			json_object_set_new(item, "value", json_integer((json_int_t)val));
			if (r->fields)
				json_object_set_new(item, "fields", fields_of(r, val));
		}
		json_array_append_new(to, item);
	}
}

static const struct command_arg regs_args[] = { { "id", ARG_STRING, true },
						{ "register", ARG_STRING, true },
						{} };
static int query_regs(struct command_call *c, struct error *e)
{
	const char *id = call_str(c, "id"), *only = call_str(c, "register");
	struct device_core *core;
	struct regbank *b;

	if (id && !device_find(c->m, id))
		return error_ret(e, -ENODEV, "Device '%s' not found", id);
	c->result = json_array();
	list_for_each (core, &c->m->devices, link) {
		if (id && !str_eq(core->dev->id, id))
			continue;
		list_for_each (b, &core->regbanks, link) {
			json_t *regs = json_array();

			for (const struct reg *r = b->bank->regs; r && r->name; r++)
				add_reg(regs, core->dev, b->bank, r, only);
			if (!only || json_array_size(regs))
				json_array_append_new(c->result,
						      json_pack("{s:s, s:s, s:O}", "device",
								core->dev->id, "bank", b->name,
								"registers", regs));
			json_decref(regs);
		}
	}
	if (only && !json_array_size(c->result))
		return error_ret(e, -EINVAL, "'%s' has no register '%s'", id, only);
	return 0;
}

static void show_reg(struct command_call *c, const json_t *r)
{
	const char *name;
	json_t *v = json_object_get(r, "value"), *f;

	command_print(c, "  %03llx %-20s ",
		      (unsigned long long)json_integer_value(json_object_get(r, "offset")),
		      json_string_value(json_object_get(r, "name")));
	if (v)
		command_print(c, "%0*llx", 2 * (int)json_integer_value(json_object_get(r, "size")),
			      (unsigned long long)json_integer_value(v));
	else
		command_print(c, "(made when it is read)");
	json_object_foreach(json_object_get(r, "fields"), name, f)
	{
		unsigned long long n = (unsigned long long)json_integer_value(f);

		if (n == 1)
			command_print(c, " %s", name);
		else if (n)
			command_print(c, " %s=%#llx", name, n);
	}
	command_print(c, "\n");
}

static void show_regs(struct command_call *c)
{
	json_t *bank, *regs;
	size_t i, k;

	json_array_foreach(c->result, i, bank)
	{
		const char *name = json_string_value(json_object_get(bank, "bank"));

		regs = json_object_get(bank, "registers");
		if (!call_has(c, "id")) {
			command_print(c, "%-24s %zu registers\n", name, json_array_size(regs));
			continue;
		}
		if (json_array_size(regs))
			command_print(c, "%s:\n", name);
		for (k = 0; k < json_array_size(regs); k++)
			show_reg(c, json_array_get(regs, k));
	}
}
COMMAND(query_regs, .hmp = "info regs", .qmp = "query-registers", .args = regs_args,
	.run = query_regs, .show = show_regs, .complete = complete_devices,
	.doc = "show a device's registers by name and field; without a name, who has some");

/* ---- what devices say of themselves */

static void print_line(void *arg, const char *text) { command_print(arg, "%s\n", text); }

static bool about(struct command_call *c, const char *topic, const char *id)
{
	struct device_core *core;
	bool any = false;

	list_for_each (core, &c->m->devices, link) {
		const struct device_class *k = core->dev->class;

		if (!k->info || (topic && (!k->info_topic || !str_eq(k->info_topic, topic))) ||
		    (id && !str_eq(core->dev->id, id)))
			continue;
		k->info(core->dev, print_line, c);
		any = true;
	}
	return any;
}

static int info_pic(struct command_call *c, struct error *e)
{
	about(c, "pic", NULL);
	return 0;
}
COMMAND(info_pic, .hmp = "info pic", .run = info_pic,
	.doc = "show the state of the interrupt controllers");

static int info_irq(struct command_call *c, struct error *e)
{
	struct device_core *core;

	list_for_each (core, &c->m->devices, link) {
		const struct device_class *k = core->dev->class;

		if (!k->info_topic || !str_eq(k->info_topic, "pic"))
			continue;
		command_print(c, "IRQ statistics for %s:\n", core->dev->id);
		for (unsigned n = 0; n < k->inputs; n++) {
			u64 raised = irq_raised(core->dev, n);

			if (raised)
				command_print(c, "%2u: %llu\n", n, (unsigned long long)raised);
		}
	}
	return 0;
}
COMMAND(info_irq, .hmp = "info irq", .run = info_irq,
	.doc = "show how often the inputs of the interrupt controllers went up");

static const struct command_arg lapic_args[] = { { "apic-id", ARG_INT, true }, {} };
static int info_lapic(struct command_call *c, struct error *e)
{
	s64 n = call_int(c, "apic-id", c->s->cpu);
	struct device *d = NULL;

	if (n >= 0 && n < c->m->ncpus && c->m->cpu[n]->intc_dev)
		d = c->m->cpu[n]->intc_dev;
	if (!d || !d->class->info) {
		command_print(c, "No local APIC\n");
		return 0;
	}
	d->class->info(d, print_line, c);
	return 0;
}
COMMAND(info_lapic, .hmp = "info lapic", .args = lapic_args, .run = info_lapic,
	.doc = "show the interrupt controller in front of a CPU");

static int info_device(struct command_call *c, struct error *e)
{
	const char *id = call_str(c, "id");

	if (!device_find(c->m, id))
		return error_ret(e, -ENODEV, "Device '%s' not found", id);
	return about(c, NULL, id) ?
		       0 :
		       error_ret(e, -ENOTSUP, "'%s' has nothing to tell beside info regs", id);
}
COMMAND(info_device, .hmp = "info device", .args = id_args, .run = info_device,
	.complete = complete_devices, .doc = "show what a device says of its state");

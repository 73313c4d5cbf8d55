/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmgenid.c - the machine's generation ID, as QEMU's monitors show it. */
#include "core/command.h"
#include "core/device.h"
#include "core/machine.h"
#include "lib/error.h"
#include "lib/str.h"
#include <errno.h>
#include <jansson.h>
#include <quern/vmgenid.h>
#include <stdio.h>

static int query_generation(struct command_call *c, struct error *e)
{
	struct device_core *d;

	list_for_each (d, &c->m->devices, link) {
		const struct vmgenid_iface *iface = d->dev->class->iface;
		const u8 *g;
		char text[40];

		if (!str_eq(d->dev->class->name, "vmgenid"))
			continue;
		g = iface->page(d->dev) + VMGENID_GUID;
		snprintf(text, sizeof(text), "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 ld32le(g), ld16le(g + 4), ld16le(g + 6), g[8], g[9], g[10], g[11], g[12],
			 g[13], g[14], g[15]);
		c->result = json_pack("{s:s}", "guid", text);
		return 0;
	}
	return error_ret(e, -ENOENT, "VM Generation ID device not found");
}

static void show_generation(struct command_call *c)
{
	command_print(c, "%s\n", json_string_value(json_object_get(c->result, "guid")));
}

COMMAND(query_generation, .hmp = "info vm-generation-id", .qmp = "query-vm-generation-id",
	.run = query_generation, .show = show_generation,
	.doc = "show the machine's generation ID (-device vmgenid)");

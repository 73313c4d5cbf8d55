/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_commands.c - info pci and query-pci: functions as the guest has configured them. */
#include "bus/pci_core.h"
#include "core/command.h"
#include "lib/error.h"
#include <errno.h>

static const struct {
	u16 class;
	const char *name;
} classes[] = {
	{ 0x0100, "SCSI controller" },
	{ 0x0101, "IDE controller" },
	{ 0x0106, "SATA controller" },
	{ 0x0108, "Class 0264" },
	{ 0x0200, "Ethernet controller" },
	{ 0x0300, "VGA controller" },
	{ 0x0500, "RAM controller" },
	{ 0x0600, "Host bridge" },
	{ 0x0601, "ISA bridge" },
	{ 0x0604, "PCI bridge" },
	{ 0x0680, "Bridge" },
	{ 0x0700, "Serial port" },
	{ 0x0780, "Communication controller" },
	{ 0x0880, "System peripheral" },
	{ 0x0c03, "USB controller" },
	{ 0x0c05, "SMBus" },
	{ 0x00ff, "Unclassified device" },
};

static const char *class_name(u16 class)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		if (classes[i].class == class)
			return classes[i].name;
	}
	return NULL;
}

static u64 bar_base(const struct pci_core *c, unsigned n)
{
	u64 v = ld32le(&c->config[PCI_BAR0 + 4 * n]) & (c->bar[n].io ? ~3u : ~15u);

	if (c->bar[n].bits64)
		v |= (u64)ld32le(&c->config[PCI_BAR0 + 4 * n + 4]) << 32;
	/* where it shows, or that it does not */
	return c->bar[n].mapped ? v : ~0ull;
}

static json_t *regions_of(const struct pci_core *c)
{
	json_t *list = json_array(), *r;

	for (unsigned n = 0; n < 6; n++) {
		const struct pci_bar_state *b = &c->bar[n];

		if (!b->size)
			continue;
		r = json_pack("{s:i, s:s, s:I, s:I}", "bar", (int)n, "type",
			      b->io ? "io" : "memory", "address", (json_int_t)bar_base(c, n),
			      "size", (json_int_t)b->size);
		if (!b->io) {
			json_object_set_new(r, "prefetch",
					    json_boolean(c->config[PCI_BAR0 + 4 * n] & 8));
			json_object_set_new(r, "mem_type_64", json_boolean(b->bits64));
		}
		json_array_append_new(list, r);
	}
	return list;
}

static json_t *id_of(const struct pci_core *c)
{
	json_t *id = json_pack("{s:i, s:i}", "device", ld16le(&c->config[PCI_DEVICE_ID]), "vendor",
			       ld16le(&c->config[PCI_VENDOR]));

	if (!(c->config[PCI_HEADER] & 0x7f)) {
		json_object_set_new(id, "subsystem-vendor",
				    json_integer(ld16le(&c->config[PCI_SUBSYSTEM])));
		json_object_set_new(id, "subsystem",
				    json_integer(ld16le(&c->config[PCI_SUBSYSTEM + 2])));
	}
	return id;
}

static json_t *devices_on(const struct pci_bus *b, unsigned number, unsigned depth);

static json_t *bridge_of(const struct pci_core *c, unsigned depth)
{
	unsigned secondary = c->config[PCI_SECONDARY];

	return json_pack("{s:{s:i, s:i, s:i}, s:o}", "bus", "number", c->config[PCI_PRIMARY],
			 "secondary", (int)secondary, "subordinate", c->config[PCI_SUBORDINATE],
			 "devices", devices_on(c->secondary, secondary, depth + 1));
}

static json_t *device_json(const struct pci_core *c, unsigned bus, unsigned depth)
{
	u16 class = ld16le(&c->config[PCI_CLASS + 1]);
	json_t *d =
		json_pack("{s:i, s:i, s:i, s:{s:i}, s:o, s:i, s:s, s:o}", "bus", (int)bus, "slot",
			  c->devfn >> 3, "function", c->devfn & 7, "class_info", "class",
			  (int)class, "id", id_of(c), "irq_pin", c->config[PCI_INT_PIN], "qdev_id",
			  c->dev->dev.id, "regions", regions_of(c));

	if (class_name(class))
		json_object_set_new(json_object_get(d, "class_info"), "desc",
				    json_string(class_name(class)));
	if (c->config[PCI_INT_PIN])
		json_object_set_new(d, "irq", json_integer(c->config[PCI_INT_LINE]));
	if (c->secondary && depth < 32)
		json_object_set_new(d, "pci_bridge", bridge_of(c, depth));
	return d;
}

static json_t *devices_on(const struct pci_bus *b, unsigned number, unsigned depth)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < ARRAY_SIZE(b->at); i++) {
		if (b->at[i])
			json_array_append_new(list, device_json(b->at[i], number, depth));
	}
	return list;
}

static int query_pci(struct command_call *c, struct error *e)
{
	struct pci_bus *root = pci_bus_first(c->m);

	c->result = json_array();
	if (root)
		json_array_append_new(c->result, json_pack("{s:i, s:o}", "bus", 0, "devices",
							   devices_on(root, 0, 0)));
	return 0;
}

/* ---- for people */

static long long number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void show_region(struct command_call *c, const json_t *r)
{
	unsigned long long at = (unsigned long long)number(r, "address"),
			   last = at == ~0ull ? (unsigned long long)number(r, "size") - 1 :
						at + (unsigned long long)number(r, "size") - 1;

	if (!json_object_get(r, "prefetch"))
		command_print(c, "      BAR%lld: I/O at 0x%04llx [0x%04llx].\n", number(r, "bar"),
			      at, last);
	else
		command_print(c, "      BAR%lld: %d bit%s memory at 0x%08llx [0x%08llx].\n",
			      number(r, "bar"),
			      json_is_true(json_object_get(r, "mem_type_64")) ? 64 : 32,
			      json_is_true(json_object_get(r, "prefetch")) ? " prefetchable" : "",
			      at, last);
}

static void show_device(struct command_call *c, const json_t *d)
{
	const json_t *info = json_object_get(d, "class_info"), *id = json_object_get(d, "id");
	const char *desc = json_string_value(json_object_get(info, "desc"));
	json_t *r, *bridge = json_object_get(d, "pci_bridge"), *sub;
	size_t i;

	command_print(c, "  Bus %2lld, device %3lld, function %lld:\n", number(d, "bus"),
		      number(d, "slot"), number(d, "function"));
	if (desc)
		command_print(c, "    %s", desc);
	else
		command_print(c, "    Class %04lld", number(info, "class"));
	command_print(c, ": PCI device %04llx:%04llx\n", number(id, "vendor"),
		      number(id, "device"));
	if (json_object_get(id, "subsystem"))
		command_print(c, "      PCI subsystem %04llx:%04llx\n",
			      number(id, "subsystem-vendor"), number(id, "subsystem"));
	if (number(d, "irq_pin"))
		command_print(c, "      IRQ %lld, pin %c\n", number(d, "irq"),
			      (int)('A' + number(d, "irq_pin") - 1));
	if (bridge) {
		const json_t *bus = json_object_get(bridge, "bus");

		command_print(c,
			      "      BUS %lld.\n      secondary bus %lld.\n"
			      "      subordinate bus %lld.\n",
			      number(bus, "number"), number(bus, "secondary"),
			      number(bus, "subordinate"));
	}
	json_array_foreach(json_object_get(d, "regions"), i, r) show_region(c, r);
	command_print(c, "      id \"%s\"\n", json_string_value(json_object_get(d, "qdev_id")));
	json_array_foreach(json_object_get(bridge, "devices"), i, sub) show_device(c, sub);
}

static void show_pci(struct command_call *c)
{
	json_t *bus, *d;
	size_t i, k;

	json_array_foreach(c->result, i, bus)
	{
		json_array_foreach(json_object_get(bus, "devices"), k, d) show_device(c, d);
	}
}
COMMAND(query_pci, .hmp = "info pci", .qmp = "query-pci", .run = query_pci, .show = show_pci,
	.doc = "show PCI functions and where the guest has put them");

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcie_root_port_test.c - a slot as Linux's pciehp drives it: presence, button, power, light. */
#include "bus/pci_core.h"
#include "core/device_add.h"
#include "core/machine.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <stdio.h>

struct tcard {
	struct pci_device pci;
};
PCI_DEVICE(tcard,
	   .dev = { .name = "test-card", .doc = "d", .bus = "pci", .size = sizeof(struct tcard) },
	   .vendor = 0x1234, .device = 1, .express = true);

static struct machine *m;
static struct pci_bus *root;
static struct device *port;
static struct error e;
static unsigned cap;
static char told[128];

static void note(struct machine *machine, const char *name, const char *data)
{
	snprintf(told, sizeof(told), "%s %s", name, data);
}

static struct device *add(const char *text)
{
	struct keyvals kv = { 0 };
	struct device *d;

	CHECK_EQ(keyvals_parse(&kv, text, "driver", &e), 0);
	d = device_add(m, &kv, &e);
	keyvals_fini(&kv);
	return d;
}

static u32 rd(unsigned bus, unsigned devfn, u32 off, unsigned size)
{
	return pci_config_access(root, bus, devfn, off, size, false, 0);
}

static void wr(u32 off, unsigned size, u32 val)
{
	pci_config_access(root, 0, 0, off, size, true, val);
}

static void start(const char *props)
{
	m = machine_new();
	m->event = note;
	m->state = RUN_RUNNING;
	told[0] = 0;
	root = pci_bus_new(m, "pcie.0", &m->memory_root, &m->io_root, true);
	port = add(props);
	CHECK(port);
	for (cap = rd(0, 0, 0x34, 1); cap && rd(0, 0, cap, 1) != 0x10; cap = rd(0, 0, cap + 1, 1))
		;
	CHECK(cap);
	wr(0x18, 4, 0x010100); /* bus numbers */
}

static void end(void)
{
	while (!list_empty(&m->devices))
		device_free(container_of(m->devices.prev, struct device_core, link)->dev);
	pci_bus_free(root);
	machine_free(m);
}

static u16 status(void) { return (u16)rd(0, 0, cap + 0x1a, 2); }
static bool interrupt(void) { return rd(0, 0, 6, 2) & 8; }

TEST(root_port_adds_and_removes)
{
	struct device *d;

	start("pcie-root-port,id=rp,slot=5,chassis=1");
	CHECK_EQ(rd(0, 0, cap + 2, 2), 0x142); /* root port with a slot */
	CHECK_EQ(rd(0, 0, cap + 0x14, 4) >> 19, 5);
	CHECK_EQ(status(), 0);
	wr(cap + 0x18, 2, 0x1029 | 0x1c0); /* button, presence, link, interrupt; lights */
	CHECK(!interrupt());

	d = add("test-card,id=one,bus=rp");
	CHECK(d);
	CHECK_EQ(status(), 0x148); /* present; presence and link changed */
	CHECK(rd(0, 0, cap + 0x12, 2) & 0x2000);
	CHECK(interrupt());
	wr(cap + 0x1a, 2, 0x108);
	CHECK_EQ(status(), 0x40);
	CHECK(!interrupt());
	CHECK_EQ(rd(1, 0, 0, 4), 0x00011234);

	CHECK_EQ(device_unplug(d, &e), 0);
	CHECK_EQ(status(), 0x41); /* the button */
	CHECK(interrupt());
	CHECK_EQ(device_unplug(d, &e), -EBUSY);
	error_clear(&e);
	wr(cap + 0x1a, 2, 1);
	wr(cap + 0x18, 2, 0x1629 | 0xc0); /* power off, the light blinks */
	CHECK(device_find(m, "one"));
	wr(cap + 0x18, 2, 0x1729 | 0xc0); /* the light is off */
	CHECK(!device_find(m, "one"));
	CHECK_STR(told,
		  "DEVICE_DELETED {\"device\": \"one\", \"path\": \"/machine/peripheral/one\"}");
	CHECK_EQ(status(), 0x108);
	CHECK_EQ(rd(1, 0, 0, 4), 0xffffffff);

	wr(cap + 0x1a, 2, 0x108);
	CHECK(add("test-card,id=two,bus=rp"));
	CHECK_EQ(status(), 0x148);
	end();
}

TEST(root_port_limits)
{
	struct device *d;

	start("pcie-root-port,id=rp,hotplug=off");
	d = add("test-card,id=one,bus=rp");
	CHECK(d);
	CHECK_EQ(device_unplug(d, &e), -EINVAL);
	CHECK_STR(e.text, "Bus 'rp' does not support hotplugging");
	error_clear(&e);
	/* one device at the end of a link */
	CHECK(!add("test-card,bus=rp"));
	error_clear(&e);
	CHECK(!add("test-card,bus=rp,addr=1"));
	CHECK(strstr(e.text, "its only address is 0.x"));
	error_clear(&e);
	CHECK_EQ(device_unplug(port, &e), -EINVAL);
	CHECK_STR(e.text, "Bus 'pcie.0' does not support hotplugging");
	error_clear(&e);
	end();
}

TEST(root_port_before_the_machine_runs)
{
	start("pcie-root-port,id=rp");
	m->state = RUN_PRELAUNCH;
	CHECK(add("test-card,id=one,bus=rp"));
	CHECK_EQ(status(), 0x40); /* it was always there */
	device_reset_all(m);
	CHECK_EQ(status(), 0x40);
	end();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/device_add.h"
#include "core/machine.h"
#include "lib/error.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>
#include <stdio.h>

struct pluggable {
	struct device dev;
	u32 level;
	u8 pad[4];
};
static const struct prop pluggable_props[] = {
	PROP(struct pluggable, level, .def = 3, .doc = "A number."), {}
};
static const struct state pluggable_state[] = { DERIVED(struct pluggable, pad), {} };
DEVICE(pluggable, .name = "test-pluggable", .doc = "d", .bus = "test-plug-bus",
       .props = pluggable_props, .state = pluggable_state);

static bool agrees;

static int plug(struct device *d, const char *bus, const char *addr, struct error *e) { return 0; }
static void unplug(struct device *d) {}
static int request(struct device *d, struct error *e)
{
	if (agrees)
		device_deleted(d);
	return 0;
}
static const struct bus_type plug_bus = {
	.name = "test-plug-bus", .plug = plug, .unplug = unplug, .unplug_request = request
};
BUS_TYPE(plug_bus)

static char told[256];
static void note(struct machine *m, const char *name, const char *data)
{
	snprintf(told, sizeof(told), "%s %s", name, data);
}

static struct device *add(struct machine *m, const char *text, struct error *e)
{
	struct keyvals kv = { 0 };
	struct device *d;

	CHECK_EQ(keyvals_parse(&kv, text, "driver", e), 0);
	d = device_add(m, &kv, e);
	keyvals_fini(&kv);
	return d;
}

static void note_global(void *arg, const char *class, const char *prop, const char *value)
{
	snprintf(arg, 64, "%s.%s=%s", class, prop, value);
}

/* Also where a board makes the device, and what is wrong or reaches nothing is told. */
TEST(device_globals)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct pluggable *d;
	char unused[64] = "";

	device_global(m, "test-pluggable", "level", "7");
	device_globals_unused(m, note_global, unused);
	CHECK_STR(unused, "test-pluggable.level=7");
	unused[0] = 0;
	d = (struct pluggable *)device_new(m, "test-pluggable", NULL, &e);
	CHECK(d && d->level == 7);
	device_globals_unused(m, note_global, unused);
	CHECK_STR(unused, "");
	CHECK_EQ(device_set(&d->dev, "level", "8", &e), 0);
	CHECK_EQ(d->level, 8);
	device_global(m, "test-pluggable", "nonsense", "1");
	CHECK(!device_new(m, "test-pluggable", NULL, &e));
	CHECK(strstr(e.text, "-global test-pluggable.nonsense=1: "));
	error_clear(&e);
	machine_free(m);
}

TEST(device_add_and_unplug)
{
	struct machine *m = machine_new();
	struct error e = { 0 };
	struct device *d;

	m->event = note;
	device_global(m, "test_pluggable", "level", "7");
	d = add(m, "test-pluggable,id=a", &e);
	CHECK(d && ((struct pluggable *)d)->level == 7);
	CHECK(!add(m, "test-pluggable,id=a", &e));
	CHECK(strstr(e.text, "there is a device 'a' already"));
	error_clear(&e);
	CHECK(!add(m, "test-pluggable,nonsense=1", &e));
	error_clear(&e);
	CHECK_EQ(((struct pluggable *)add(m, "test-pluggable,level=9,id=b", &e))->level, 9);

	/* it stays until the guest agrees */
	CHECK_EQ(device_unplug(d, &e), 0);
	CHECK(device_find(m, "a") == d);
	CHECK_STR(told, "");
	agrees = true;
	CHECK_EQ(device_unplug(d, &e), 0);
	CHECK(!device_find(m, "a"));
	CHECK_STR(told, "DEVICE_DELETED {\"device\": \"a\", \"path\": \"/machine/peripheral/a\"}");
	machine_free(m);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_path.c - finding a device by what people and tests call it. */
#include "core/device.h"
#include "core/machine.h"
#include "lib/str.h"

/* What has no bus is numbered, after the CPUs. */
static struct device *by_number(struct machine *m, u32 n)
{
	struct device_core *core;
	u32 i = m->ncpus;

	list_for_each (core, &m->devices, link) {
		if (!core->bus_type && i++ == n)
			return core->dev;
	}
	return NULL;
}

static struct device *by_class(struct machine *m, const char *name)
{
	const struct device_class *c = device_class_for(m, name);
	struct device *found = NULL;
	struct device_core *core;

	list_for_each (core, &m->devices, link) {
		if (core->dev->class != c)
			continue;
		if (found)
			return NULL;
		found = core->dev;
	}
	return found;
}

static bool number_in(const char *name, u32 *n)
{
	const char *text;
	char digits[12];

	if (!str_prefix(name, "device[", &text) || !str_suffix(text, "]") ||
	    strlen(text) > sizeof(digits))
		return false;
	memcpy(digits, text, strlen(text) - 1);
	digits[strlen(text) - 1] = 0;
	return !str_to_u32(digits, 10, n);
}

struct device *device_by_path(struct machine *m, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct device *d = device_find(m, name);
	u32 n;

	if (!d && number_in(name, &n))
		d = by_number(m, n);
	return d ? d : by_class(m, name);
}

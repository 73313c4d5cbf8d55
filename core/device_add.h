/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_add.h - devices by name and settings as text (-device, device_add), and taking one away.
 */
#pragma once
#include "core/device.h"
#include "lib/keyval.h"

/* -global: a setting that all devices of that class get that are made from now on, by boards too;
 * whoever makes one may still change it. */
void device_global(struct machine *m, const char *class, const char *prop, const char *value);
/* For device_new. */
int must_check device_globals_apply(struct device *d, struct error *e);
/* Those that reached no device so far. */
void device_globals_unused(struct machine *m,
			   void (*fn)(void *arg, const char *class, const char *prop,
				      const char *value),
			   void *arg);
void device_globals_fini(struct machine *m);
/* kv: driver=, id=, and settings. NULL with a sentence. */
struct device *device_add(struct machine *m, struct keyvals *kv, struct error *e);
/* Asks the bus to let go of it; the device is there until the guest has agreed. */
int must_check device_unplug(struct device *d, struct error *e);
/* For buses: the guest has agreed. Frees it and tells monitors. */
void device_deleted(struct device *d);

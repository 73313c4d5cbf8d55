/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyboard.c - the keys that are typed from outside: pressed at once, let go by a timer. */
#include "core/keyboard.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/private.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include <errno.h>

/* The device that takes keys, and those that are down. */
struct keyboard {
	struct machine *m;
	struct device *dev;
	const struct keyboard_ops *ops;
	u16 down[KEYS_MOST];
	unsigned n;
	struct timer timer;
};

static void let_go(struct keyboard *k)
{
	while (k->n)
		k->ops->key(k->dev, k->down[--k->n], false);
}

static void timer_fire(void *dev)
{
	struct device *d = dev;

	let_go(d->core->machine->priv->keyboard);
}

void keyboard_add(void *dev, const struct keyboard_ops *ops)
{
	struct device *d = dev;
	struct machine *m = d->core->machine;
	struct keyboard *k = m->priv->keyboard;

	if (!k) {
		k = m->priv->keyboard = NEW(struct keyboard);
		k->m = m;
		k->timer.fire = timer_fire;
	}
	clock_timer_stop(&m->clock, &k->timer);
	k->dev = k->timer.dev = d;
	k->ops = ops;
	k->n = 0;
}

const struct keyboard_ops *keyboard_of(const struct device *d)
{
	const struct keyboard *k = d->core->machine->priv->keyboard;

	return k && k->dev == d ? k->ops : NULL;
}

void keyboard_forget(struct device *d)
{
	struct keyboard *k = d->core->machine->priv->keyboard;

	if (!k || k->dev != d)
		return;
	clock_timer_stop(&k->m->clock, &k->timer);
	k->dev = NULL;
	k->n = 0;
}

void keyboard_fini(struct machine *m)
{
	free(m->priv->keyboard);
	m->priv->keyboard = NULL;
}

int keyboard_type(struct machine *m, const u16 *codes, unsigned n, u32 hold_ms, struct error *e)
{
	struct keyboard *k = m->priv->keyboard;

	if (!k || !k->dev)
		return error_ret(e, -ENODEV, "the machine has no keyboard");
	clock_timer_stop(&m->clock, &k->timer);
	let_go(k);
	for (unsigned i = 0; i < MIN(n, (unsigned)KEYS_MOST); i++) {
		if (!k->ops->key(k->dev, codes[i], true)) {
			let_go(k);
			return error_ret(e, -EAGAIN,
					 "'%s' does not take key %u: it has no such key, or the "
					 "guest reads none",
					 k->dev->id, codes[i]);
		}
		k->down[k->n++] = codes[i];
	}
	clock_timer_start(&m->clock, &k->timer, clock_now(&m->clock) + hold_ms * 1000000ull);
	return 0;
}

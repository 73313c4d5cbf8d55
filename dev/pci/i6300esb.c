/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i6300esb - the watchdog of the 6300ESB I/O controller hub (Intel document 300641-004, chapter
 * 16): two stages, the second of which resets the machine, or does what -action watchdog= says. */
#include <quern/pci.h>

enum { CONFIG = 0x60, LOCK = 0x68, PCI_HZ = 33000000 };
enum { CONFIG_INTTYPE = 3, CONFIG_FREQ = BIT(2), CONFIG_NO_REBOOT = BIT(5) };
enum { LOCK_LOCKED = BIT(0), LOCK_ENABLE = BIT(1), LOCK_FREE_RUNNING = BIT(2) };
enum { RELOAD_TIMERS = BIT(8), RELOAD_TIMEOUT = BIT(9), UNLOCK1 = 0x80, UNLOCK2 = 0x86 };
enum { PRELOAD = 0xfffff, INTTYPE_NONE = 3 };

struct i6300esb {
	struct pci_device pci;
	u32 timer1, timer2, status;
	u16 reload;
	u8 unlocking; /* how many of the two words were written */
	u8 stage;     /* 0 = stopped, 1, 2 */
	u8 lock;
	u8 pad[3];
	struct timer timer;
};

static u16 config(struct i6300esb *d) { return ld16le(pci_config(&d->pci) + CONFIG); }

/* The counters count at 33 MHz / 2^15, or / 2^5 with FREQ. */
static void start_stage(struct i6300esb *d, unsigned stage)
{
	unsigned shift = config(d) & CONFIG_FREQ ? 5 : 15;
	u64 clocks = (u64)(stage == 1 ? d->timer1 : d->timer2) << shift;

	d->stage = stage;
	timer_start(&d->timer, (u64)((u128)clocks * 1000000000u / PCI_HZ));
}

static void stop(struct i6300esb *d)
{
	d->stage = 0;
	timer_stop(&d->timer);
}

static void restart(struct i6300esb *d)
{
	if (d->lock & LOCK_ENABLE)
		start_stage(d, 1);
	else
		stop(d);
}

static void expired(void *dev)
{
	struct i6300esb *d = dev;

	trace(d, "expired", "stage %u", d->stage);
	if (d->stage == 1) {
		if ((config(d) & CONFIG_INTTYPE) != INTTYPE_NONE) {
			d->status |= 1;
			pci_intx(&d->pci, (config(d) & CONFIG_INTTYPE) == 0);
		}
		start_stage(d, 2);
		return;
	}
	d->reload |= RELOAD_TIMEOUT;
	if (d->lock & LOCK_FREE_RUNNING) {
		start_stage(d, 1);
		return;
	}
	stop(d);
	if (!(config(d) & CONFIG_NO_REBOOT))
		device_watchdog_expired(d);
}

/* Protected registers take one write after the two words. */
static bool take_unlock(struct i6300esb *d, const char *what)
{
	bool open = d->unlocking == 2;

	d->unlocking = 0;
	if (!open)
		guest_error(d, "%s was written without the unlocking words 80h and 86h", what);
	return open;
}

static u64 esb_read(void *dev, u64 off, unsigned size)
{
	const struct i6300esb *d = dev;
	u8 regs[16] = { 0 };
	u64 v = 0;

	st32le(regs, d->timer1);
	st32le(regs + 4, d->timer2);
	st32le(regs + 8, d->status);
	st16le(regs + 12, d->reload & RELOAD_TIMEOUT);
	memcpy(&v, regs + off, MIN(size, (unsigned)(16 - off)));
	return LE_(64, v);
}

static void reload_written(struct i6300esb *d, u16 val)
{
	if (val == UNLOCK1) {
		d->unlocking = 1;
	} else if (val == UNLOCK2 && d->unlocking == 1) {
		d->unlocking = 2;
	} else if (take_unlock(d, "reload")) {
		d->reload &= ~(val & RELOAD_TIMEOUT);
		if (val & RELOAD_TIMERS)
			restart(d);
	}
}

static void esb_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i6300esb *d = dev;

	switch (off) {
	case 0:
		if (take_unlock(d, "timer1"))
			d->timer1 = val & PRELOAD;
		break;
	case 4:
		if (take_unlock(d, "timer2"))
			d->timer2 = val & PRELOAD;
		break;
	case 8:
		d->status &= ~(val & 1);
		if (!d->status)
			pci_intx(&d->pci, 0);
		break;
	case 12:
		reload_written(d, val);
		break;
	default:
		guest_error(d, "there is no register at %#x", (unsigned)off);
	}
}

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	struct i6300esb *d = dev;
	u8 *lock = pci_config(&d->pci) + LOCK, old = d->lock;

	if (off > LOCK || off + size <= LOCK)
		return;
	if (old & LOCK_LOCKED)
		*lock = old;
	d->lock = *lock;
	if ((d->lock ^ old) & LOCK_ENABLE)
		restart(d);
}

static int esb_init(void *dev, struct error *e)
{
	struct i6300esb *d = dev;
	u8 *w = pci_config_wmask(&d->pci);

	w[CONFIG] = CONFIG_INTTYPE | CONFIG_FREQ | CONFIG_NO_REBOOT;
	w[LOCK] = LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE_RUNNING;
	return 0;
}

static void esb_reset(void *dev)
{
	struct i6300esb *d = dev;

	stop(d);
	d->timer1 = d->timer2 = PRELOAD;
	d->status = d->reload = d->unlocking = 0;
	d->lock = 0;
	st16le(pci_config(&d->pci) + CONFIG, 0);
	pci_config(&d->pci)[LOCK] = 0;
	pci_intx(&d->pci, 0);
}

static const struct state esb_state[] = {
	STATE(struct i6300esb, timer1),		STATE(struct i6300esb, timer2),
	STATE(struct i6300esb, status),		STATE(struct i6300esb, reload),
	STATE(struct i6300esb, unlocking),	STATE(struct i6300esb, stage),
	STATE(struct i6300esb, lock),		DERIVED(struct i6300esb, pad),
	TIMER(struct i6300esb, timer, expired), {}
};
PCI_DEVICE(i6300esb,
	   .dev = { .api = QUERN_DEVICE_API,
		    .name = "i6300esb",
		    .doc = "Intel 6300ESB watchdog",
		    .bus = "pci",
		    .size = sizeof(struct i6300esb),
		    .state = esb_state,
		    .init = esb_init,
		    .reset = esb_reset },
	   .vendor = 0x8086, .device = 0x25ab, .class_code = 0x088000, .intx = true,
	   .bar[0] = { .size = 16, .read = esb_read, .write = esb_write },
	   .config_written = config_written);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acpi-pm - the fixed ACPI hardware of PC chipsets: PM1 event and control blocks, PM timer, a
 * general-purpose event block, and the APM/SMI command port that switches ACPI on. Follows ACPI 6.4
 * chapter 4.8; the register places inside each block are those of PIIX4 and ICH9 alike. */
#include <quern/device.h>

enum {
	PM1_TMR = BIT(0),
	PM1_BM = BIT(4),
	PM1_GBL = BIT(5),
	PM1_PWRBTN = BIT(8),
	PM1_SLPBTN = BIT(9),
	PM1_RTC = BIT(10),
	PM1_PCIEXP_WAKE = BIT(14),
	PM1_WAK = BIT(15)
};
enum {
	CNT_SCI_EN = BIT(0),
	CNT_BM_RLD = BIT(1),
	CNT_GBL_RLS = BIT(2),
	CNT_SLP_TYP = 7 << 10,
	CNT_SLP_EN = BIT(13)
};
#define PM_TIMER_HZ 3579545ull

struct acpi_pm {
	struct device dev;
	struct irq sci;
	struct timer overflow;
	u16 pm1_sts, pm1_en, pm1_cnt;
	u8 apm_cnt, apm_sts;
	u8 gpe_sts[16], gpe_en[16];
	u8 s5_type, gpe_len; /* gpe_len: of the block, half status and half enable */
	u8 enable_value, disable_value;
	u8 pad[4];
};

static u64 ticks(struct acpi_pm *d)
{
	return (u64)((u128)clock_ns(d) * PM_TIMER_HZ / 1000000000ull);
}

static bool gpe_active(const struct acpi_pm *d)
{
	for (unsigned i = 0; i < d->gpe_len / 2u; i++) {
		if (d->gpe_sts[i] & d->gpe_en[i])
			return true;
	}
	return false;
}

static void update(struct acpi_pm *d)
{
	irq_set(&d->sci, (d->pm1_cnt & CNT_SCI_EN) &&
				 ((d->pm1_sts & d->pm1_en &
				   (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC)) ||
				  gpe_active(d)));
}

/* TMR_STS rises whenever bit 23 of the timer changes (4.8.3.3). */
static void arm(struct acpi_pm *d)
{
	u64 next = (ticks(d) >> 23) + 1;

	timer_stop(&d->overflow);
	if (d->pm1_en & PM1_TMR)
		timer_at(&d->overflow,
			 (u64)(((u128)(next << 23) * 1000000000ull + PM_TIMER_HZ - 1) /
			       PM_TIMER_HZ));
}

static void overflow(void *dev)
{
	struct acpi_pm *d = dev;

	d->pm1_sts |= PM1_TMR;
	arm(d);
	update(d);
}

static void sts_written(void *dev, unsigned i, u64 val) { update(dev); }

static void en_written(void *dev, unsigned i, u64 val)
{
	arm(dev);
	update(dev);
}

static void cnt_written(void *dev, unsigned i, u64 val)
{
	struct acpi_pm *d = dev;
	unsigned type = FIELD_GET(CNT_SLP_TYP, (u32)val);

	if (val & CNT_SLP_EN) {
		trace(d, "sleep", "type=%u", type);
		if (type == d->s5_type)
			device_request_shutdown(d);
		else
			unimplemented(d, "pm1_cnt: sleep type %u (only S5, type %u)", type,
				      d->s5_type);
	}
	update(d);
}

static u64 timer_read(void *dev, unsigned i, u64 val) { return ticks(dev) & 0xffffff; }

/* APM_CNT: what firmware's SMI handler would do for the two commands that the FADT names. */
static void apm_written(void *dev, unsigned i, u64 val)
{
	struct acpi_pm *d = dev;

	if (val == d->enable_value)
		d->pm1_cnt |= CNT_SCI_EN;
	else if (val == d->disable_value)
		d->pm1_cnt &= ~CNT_SCI_EN;
	else
		trace(d, "smi", "command %#x has no handler", (unsigned)val);
	update(d);
}

/* SCI_EN is written by the switch above only (4.8.3.2.1: by firmware). */
static const struct reg evt_regs[] = {
	REG(0, struct acpi_pm, pm1_sts,
	    .w1c = PM1_TMR | PM1_BM | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN | PM1_RTC |
		   PM1_PCIEXP_WAKE | PM1_WAK,
	    .set = sts_written, .doc = "PM1 status: what happened; write 1 to clear.",
	    FIELDS(PM1_TMR, PM1_BM, PM1_GBL, PM1_PWRBTN, PM1_SLPBTN, PM1_RTC, PM1_PCIEXP_WAKE,
		   PM1_WAK)),
	REG(2, struct acpi_pm, pm1_en, .set = en_written, .doc = "PM1 enable: what raises the SCI.",
	    FIELDS(PM1_TMR, PM1_GBL, PM1_PWRBTN, PM1_SLPBTN, PM1_RTC, PM1_PCIEXP_WAKE)),
	{}
};
static const struct reg cnt_regs[] = {
	REG(0, struct acpi_pm, pm1_cnt, .ro = CNT_SCI_EN, .pulse = CNT_GBL_RLS | CNT_SLP_EN,
	    .set = cnt_written, .doc = "PM1 control: sleep and SCI.",
	    FIELDS(CNT_SCI_EN, CNT_BM_RLD, CNT_GBL_RLS, CNT_SLP_TYP, CNT_SLP_EN)),
	{}
};
static const struct reg tmr_regs[] = { { .name = "pm_tmr",
					 .at = 0,
					 .size = 4,
					 .novalue = true,
					 RO,
					 .get = timer_read,
					 .doc = "24-bit timer at 3.579545 MHz." },
				       {} };
static const struct reg apm_regs[] = { REG(0, struct acpi_pm, apm_cnt, .set = apm_written,
					   .doc = "SMI command."),
				       REG(1, struct acpi_pm, apm_sts, .doc = "SMI scratch byte."),
				       {} };

static u64 gpe_read(void *dev, u64 off, unsigned size)
{
	struct acpi_pm *d = dev;
	unsigned half = d->gpe_len / 2;

	return off >= d->gpe_len ? 0xff : off < half ? d->gpe_sts[off] : d->gpe_en[off - half];
}

static void gpe_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct acpi_pm *d = dev;
	unsigned half = d->gpe_len / 2;

	if (off >= d->gpe_len)
		guest_error(d, "write past the %u bytes of the event block", d->gpe_len);
	else if (off < half)
		d->gpe_sts[off] &= ~val;
	else
		d->gpe_en[off - half] = val;
	update(d);
}

/* Inputs: general-purpose event n happens. */
static void acpi_pm_input(void *dev, unsigned n, int level)
{
	struct acpi_pm *d = dev;

	if (!level || n / 8 >= d->gpe_len / 2u)
		return;
	d->gpe_sts[n / 8] |= BIT(n % 8);
	update(d);
}

static void power_button(void *dev)
{
	struct acpi_pm *d = dev;

	d->pm1_sts |= PM1_PWRBTN;
	update(d);
}

static int acpi_pm_init(void *dev, struct error *e)
{
	device_on_powerdown(dev, power_button);
	return 0;
}

static void acpi_pm_reset(void *dev)
{
	struct acpi_pm *d = dev;

	memset(d->gpe_sts, 0, sizeof(d->gpe_sts));
	memset(d->gpe_en, 0, sizeof(d->gpe_en));
	arm(d);
	update(d);
}

static const struct bank acpi_pm_banks[] = {
	{ .name = "evt", .size = 4, .regs = evt_regs, .narrow = true, .split = true },
	{ .name = "cnt", .size = 2, .regs = cnt_regs, .narrow = true },
	{ .name = "tmr", .size = 4, .regs = tmr_regs, .narrow = true },
	{ .name = "gpe",
	  .size = 32,
	  .min = 1,
	  .max = 1,
	  .split = true,
	  .read = gpe_read,
	  .write = gpe_write },
	{ .name = "apm", .size = 2, .regs = apm_regs, .split = true },
	{}
};
static const struct prop acpi_pm_props[] = {
	PROP(struct acpi_pm, s5_type, .max = 7, .doc = "SLP_TYP value that powers off."),
	PROP(struct acpi_pm, gpe_len, .def = 4, .max = 32,
	     .doc = "Bytes of the general-purpose event block."),
	PROP(struct acpi_pm, enable_value, .def = 0xf1,
	     .doc = "SMI command that switches ACPI on."),
	PROP(struct acpi_pm, disable_value, .def = 0xf0,
	     .doc = "SMI command that switches ACPI off."),
	{}
};
static const struct state acpi_pm_state[] = {
	IRQ_OUT(struct acpi_pm, sci),	TIMER(struct acpi_pm, overflow, overflow),
	STATE(struct acpi_pm, gpe_sts), STATE(struct acpi_pm, gpe_en),
	DERIVED(struct acpi_pm, pad),	{}
};
DEVICE(acpi_pm, .name = "acpi-pm", .doc = "ACPI fixed hardware", .banks = acpi_pm_banks,
       .props = acpi_pm_props, .state = acpi_pm_state, .inputs = 128, .input = acpi_pm_input,
       .init = acpi_pm_init, .reset = acpi_pm_reset);

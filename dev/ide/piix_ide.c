/* SPDX-License-Identifier: GPL-2.0-or-later */
/* piix3-ide, piix4-ide - the IDE function of the PIIX bridges: two channels of two drives at the
 * ports that PCs have always had, and bus mastering (Intel 82371SB, 82371AB; ATA8-APT for the
 * registers; Programming Interface for Bus Master IDE, 1.0). */
#include "ata.h"
#include <errno.h>
#include <quern/pci.h>
#include <stdio.h>

enum {
	CHANNELS = 2,
	CTL_NIEN = BIT(1),
	CTL_SRST = BIT(2),
	CTL_HOB = BIT(7),
	BM_START = BIT(0),
	BM_TO_MEMORY = BIT(3),
	BM_ACTIVE = BIT(0),
	BM_ERROR = BIT(1),
	BM_IRQ = BIT(2),
	PRD_END = 1u << 31,
	IDETIM = 0x40,
};

struct channel {
	/* registers, and what was in them before (48-bit commands) */
	u8 feature[2], count[2], lba[3][2], device, control, status[2], error;
	u8 bm_command, bm_status;
	u32 prd;
	/* the data port: a part of the drive's buffer, or the packet */
	u32 pio_at, pio_len, pio_off;
	bool pio_out, pio_packet, irq_pending, dma_waits, resetting;
	u8 number;
	u8 pad[2];
};
struct piix_ide {
	struct pci_device pci;
	struct irq irq[CHANNELS];
	struct channel ch[CHANNELS];
	struct ata_cmd cmd[CHANNELS];
	struct ata_drive *drive[CHANNELS][2];
	struct slots *slots[CHANNELS];
};

static struct piix_ide *owner(struct channel *ch)
{
	return container_of(ch, struct piix_ide, ch[ch->number]);
}

static struct ata_cmd *cmd_of(struct channel *ch) { return &owner(ch)->cmd[ch->number]; }

static struct ata_drive *selected(struct channel *ch)
{
	return owner(ch)->drive[ch->number][ch->device & DEV_SLAVE ? 1 : 0];
}

static u8 *status(struct channel *ch) { return &ch->status[ch->device & DEV_SLAVE ? 1 : 0]; }

/* ---- interrupts */

static void update_irq(struct channel *ch)
{
	irq_set(&owner(ch)->irq[ch->number], ch->irq_pending && !(ch->control & CTL_NIEN));
}

static void interrupt(struct channel *ch)
{
	ch->irq_pending = true;
	ch->bm_status |= BM_IRQ;
	update_irq(ch);
}

/* ---- between registers and command */

static void load(struct channel *ch, struct ata_tf *t)
{
	t->feature = ch->feature[0] | ch->feature[1] << 8;
	t->count = ch->count[0] | ch->count[1] << 8;
	t->lba = 0;
	for (unsigned i = 0; i < 3; i++) {
		t->lba |= (u64)ch->lba[i][0] << 8 * i;
		t->lba |= (u64)ch->lba[i][1] << (24 + 8 * i);
	}
	t->device = ch->device;
}

static void store(struct channel *ch, const struct ata_tf *t)
{
	ch->count[0] = t->count;
	ch->count[1] = t->count >> 8;
	for (unsigned i = 0; i < 3; i++) {
		ch->lba[i][0] = t->lba >> 8 * i;
		ch->lba[i][1] = t->lba >> (24 + 8 * i);
	}
	ch->device = (t->device & 0xef) | (ch->device & DEV_SLAVE);
	ch->error = t->error;
}

/* ---- what drives ask for */

static int host_dma(struct ata_cmd *c, u64 bytes, bool to_guest)
{
	struct channel *ch = c->port;
	struct piix_ide *d = owner(ch);
	u32 at = ch->prd & ~3u;

	if (!(ch->bm_command & BM_START)) {
		ch->dma_waits = true;
		*status(ch) = ST_DRDY | ST_DSC | ST_DRQ;
		return -EAGAIN;
	}
	ch->dma_waits = false;
	*status(ch) = ST_BSY;
	c->list.dev = d;
	c->list.write = to_guest;
	/* a table has at most 64 KiB */
	for (unsigned i = 0; i < 8192 && bytes; i++, at += 8) {
		u8 e[8];
		u32 n;

		if (dma_read(&d->pci, at, e, 8))
			break;
		n = ld16le(e + 4) ? ld16le(e + 4) : 0x10000;
		n = MIN((u64)n, bytes);
		if (dma_list_add(&c->list, ld32le(e) & ~1u, n))
			break;
		bytes -= n;
		if (bytes && (ld32le(e + 4) & PRD_END)) {
			guest_error(d, "the descriptors are %llu bytes short of the command",
				    (unsigned long long)bytes);
			break;
		}
	}
	if (!bytes)
		return 0;
	ch->bm_status |= BM_ERROR;
	return -EFAULT;
}

static void host_pio(struct ata_cmd *c, u8 *buf, u32 n, bool out, bool irq)
{
	struct channel *ch = c->port;

	if (ch->resetting)
		return;
	ch->pio_packet = buf == c->tf.cdb;
	ch->pio_off = ch->pio_packet ? 0 : buf - c->drive->buf;
	ch->pio_at = 0;
	ch->pio_len = n;
	ch->pio_out = out;
	store(ch, &c->tf);
	*status(ch) = ST_DRDY | ST_DSC | ST_DRQ;
	if (irq)
		interrupt(ch);
}

static void host_done(struct ata_cmd *c)
{
	struct channel *ch = c->port;

	ch->pio_len = 0;
	ch->dma_waits = false;
	if (ch->resetting)
		return;
	store(ch, &c->tf);
	*status(ch) = c->tf.status;
	ch->bm_status &= ~BM_ACTIVE;
	if (c->tf.irq)
		interrupt(ch);
}

static const struct ata_host host = { .dma = host_dma, .pio = host_pio, .done = host_done };

/* ---- commands and resets */

static void abandon(struct channel *ch)
{
	struct ata_cmd *c = cmd_of(ch);

	if (!c->busy)
		return;
	ch->resetting = true;
	block_drain(c->drive->drive);
	ch->resetting = false;
	ata_forget(c);
	ch->pio_len = 0;
	ch->dma_waits = false;
	ch->bm_status &= ~BM_ACTIVE;
}

static void reset_channel(struct channel *ch)
{
	struct piix_ide *d = owner(ch);
	struct ata_tf t = { 0 };

	abandon(ch);
	ch->device = 0;
	ch->irq_pending = false;
	for (unsigned i = 2; i--;) {
		struct ata_drive *drive = d->drive[ch->number][i];

		ch->status[i] = 0;
		if (!drive)
			continue;
		ata_drive_reset(drive);
		t = (struct ata_tf){ 0 };
		ata_signature(drive, &t);
		store(ch, &t);
		ch->status[i] = t.status;
	}
	ch->device = 0;
	update_irq(ch);
}

static void command(struct channel *ch, u8 code)
{
	struct ata_cmd *c = cmd_of(ch);
	struct ata_drive *drive = selected(ch);

	ch->irq_pending = false;
	update_irq(ch);
	if (!drive)
		return;
	if (c->busy && code != 0x08) {
		guest_error(owner(ch), "command %#x while another one is under way", code);
		return;
	}
	abandon(ch);
	c->drive = drive;
	c->host = &host;
	c->port = ch;
	c->tf.have_cdb = false;
	load(ch, &c->tf);
	c->tf.command = code;
	*status(ch) = ST_BSY;
	ata_start(c);
}

/* ---- ports */

static u64 data_read(struct channel *ch, unsigned size)
{
	struct ata_cmd *c = cmd_of(ch);
	u8 bytes[4] = { 0 };
	u32 left = ch->pio_len - MIN(ch->pio_at, ch->pio_len);

	if (ch->pio_out || !left) {
		guest_error(owner(ch), "the data port is read while no data is there");
		return 0xffffffff;
	}
	/* the last of an odd number of bytes comes alone */
	size = MIN(size, left);
	memcpy(bytes, c->drive->buf + ch->pio_off + ch->pio_at, size);
	ch->pio_at += size;
	if (ch->pio_at == ch->pio_len) {
		ch->pio_len = 0;
		*status(ch) = ST_BSY;
		ata_pio_done(c);
	}
	return ld32le(bytes);
}

static void data_write(struct channel *ch, unsigned size, u32 val)
{
	struct ata_cmd *c = cmd_of(ch);
	u32 left = ch->pio_len - MIN(ch->pio_at, ch->pio_len);
	u8 bytes[4];

	if (!ch->pio_out || !left) {
		guest_error(owner(ch), "the data port is written while no data is asked for");
		return;
	}
	size = MIN(size, left);
	st32le(bytes, val);
	memcpy((ch->pio_packet ? c->tf.cdb : c->drive->buf + ch->pio_off) + ch->pio_at, bytes,
	       size);
	ch->pio_at += size;
	if (ch->pio_at == ch->pio_len) {
		ch->pio_len = 0;
		*status(ch) = ST_BSY;
		ata_pio_done(c);
	}
}

static u64 cmd_read(struct channel *ch, u64 off, unsigned size)
{
	unsigned hob = ch->control & CTL_HOB ? 1 : 0;

	if (off == 0)
		return data_read(ch, size);
	if (size != 1) {
		guest_error(owner(ch), "%u bytes are read at register %llu", size,
			    (unsigned long long)off);
		return ~0ull;
	}
	if (!owner(ch)->drive[ch->number][0] && !owner(ch)->drive[ch->number][1])
		return off == 7 ? 0 : 0xff;
	switch (off) {
	case 1:
		return selected(ch) ? ch->error : 0;
	case 2:
		return selected(ch) ? ch->count[hob] : 0;
	case 3:
	case 4:
	case 5:
		return selected(ch) ? ch->lba[off - 3][hob] : 0;
	case 6:
		return ch->device | 0xa0;
	default:
		ch->irq_pending = false;
		update_irq(ch);
		return selected(ch) ? *status(ch) : 0;
	}
}

static void shift_in(u8 *reg, u8 val)
{
	reg[1] = reg[0];
	reg[0] = val;
}

static void cmd_write(struct channel *ch, u64 off, unsigned size, u64 val)
{
	if (off == 0) {
		data_write(ch, size, val);
		return;
	}
	if (size != 1) {
		guest_error(owner(ch), "%u bytes are written at register %llu", size,
			    (unsigned long long)off);
		return;
	}
	ch->control &= ~CTL_HOB;
	if (off != 7 && cmd_of(ch)->busy) {
		guest_error(owner(ch), "register %llu is written during a command",
			    (unsigned long long)off);
		return;
	}
	switch (off) {
	case 1:
		shift_in(ch->feature, val);
		break;
	case 2:
		shift_in(ch->count, val);
		break;
	case 3:
	case 4:
	case 5:
		shift_in(ch->lba[off - 3], val);
		break;
	case 6:
		ch->device = val;
		break;
	default:
		command(ch, val);
	}
}

static void ctl_write(struct channel *ch, u8 val)
{
	u8 was = ch->control;

	ch->control = val;
	if ((val & CTL_SRST) && !(was & CTL_SRST)) {
		abandon(ch);
		ch->status[0] = ch->status[1] = ST_BSY;
	} else if (!(val & CTL_SRST) && (was & CTL_SRST)) {
		reset_channel(ch);
	}
	update_irq(ch);
}

static u64 ctl_read(struct channel *ch) { return selected(ch) ? *status(ch) : 0; }

#define PORTS(n) \
	static u64 cmd##n##_read(void *dev, u64 off, unsigned size) \
	{ \
		return cmd_read(&((struct piix_ide *)dev)->ch[n], off, size); \
	} \
	static void cmd##n##_write(void *dev, u64 off, unsigned size, u64 val) \
	{ \
		cmd_write(&((struct piix_ide *)dev)->ch[n], off, size, val); \
	} \
	static u64 ctl##n##_read(void *dev, u64 off, unsigned size) \
	{ \
		return ctl_read(&((struct piix_ide *)dev)->ch[n]); \
	} \
	static void ctl##n##_write(void *dev, u64 off, unsigned size, u64 val) \
	{ \
		ctl_write(&((struct piix_ide *)dev)->ch[n], val); \
	}
PORTS(0)
PORTS(1)
static const struct bank banks[] = {
	{ .name = "cmd0", .size = 8, .max = 4, .read = cmd0_read, .write = cmd0_write },
	{ .name = "ctl0", .size = 1, .max = 1, .read = ctl0_read, .write = ctl0_write },
	{ .name = "cmd1", .size = 8, .max = 4, .read = cmd1_read, .write = cmd1_write },
	{ .name = "ctl1", .size = 1, .max = 1, .read = ctl1_read, .write = ctl1_write },
	{}
};

/* ---- bus master registers */

static void bm_command(struct channel *ch, u8 val)
{
	u8 was = ch->bm_command;

	ch->bm_command = val & (BM_START | BM_TO_MEMORY);
	if ((val & BM_START) && !(was & BM_START)) {
		ch->bm_status |= BM_ACTIVE;
		if (ch->dma_waits)
			ata_dma_ready(cmd_of(ch));
	} else if (!(val & BM_START) && (was & BM_START)) {
		/* stopped in the middle: what the disk has begun it ends */
		if (cmd_of(ch)->busy && cmd_of(ch)->tf.dma)
			block_drain(cmd_of(ch)->drive->drive);
		ch->bm_status &= ~BM_ACTIVE;
	}
}

static u64 bm_read(void *dev, u64 off, unsigned size)
{
	struct channel *ch = &((struct piix_ide *)dev)->ch[off >> 3 & 1];
	u8 regs[8] = { ch->bm_command, 0, ch->bm_status, 0 };
	u64 val = 0;

	st32le(regs + 4, ch->prd);
	off &= 7;
	if (off + size <= 8)
		memcpy(&val, regs + off, size);
	return ld64le(&val);
}

static void bm_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct channel *ch = &((struct piix_ide *)dev)->ch[off >> 3 & 1];

	off &= 7;
	if (off >= 4) {
		unsigned shift = (off & 3) * 8;
		u32 mask = (size >= 4 ? ~0u : BIT(size * 8) - 1) << shift;

		ch->prd = (ch->prd & ~mask) | ((u32)val << shift & mask & ~3u);
		return;
	}
	if (off == 0)
		bm_command(ch, val);
	if (off == 0 && size >= 4)
		off = 2, val >>= 16;
	if (off == 2)
		ch->bm_status =
			(ch->bm_status & ~(val & (BM_ERROR | BM_IRQ)) & ~0x60) | (val & 0x60);
}

/* ---- life */

static int plugged(void *dev, unsigned bus, unsigned slot, void *child, struct error *e)
{
	struct piix_ide *d = dev;
	struct ata_drive *drive = child;
	struct channel *ch = &d->ch[bus];

	drive->unit = bus * 2 + slot;
	drive->port = ch;
	drive->host = &host;
	d->drive[bus][slot] = drive;
	reset_channel(ch);
	return 0;
}

static void unplugged(void *dev, unsigned bus, unsigned slot, void *child)
{
	struct piix_ide *d = dev;
	struct ata_cmd *c = &d->cmd[bus];

	if (c->drive == child) {
		abandon(&d->ch[bus]);
		c->drive = NULL;
	}
	d->drive[bus][slot] = NULL;
}

static const struct slots_ops slots_ops = { .plugged = plugged, .unplugged = unplugged };

static int piix_init(void *dev, struct error *e)
{
	struct piix_ide *d = dev;
	u8 *w = pci_config_wmask(&d->pci);

	for (unsigned i = 0; i < CHANNELS; i++) {
		char name[16];

		d->ch[i].number = i;
		snprintf(name, sizeof(name), "ide.%u", i);
		d->slots[i] = slots_new(d, "ide", name, i, 2, &slots_ops, e);
		if (!d->slots[i])
			return -EEXIST;
	}
	memset(w + IDETIM, 0xff, 4);
	return 0;
}

static void piix_fini(void *dev)
{
	struct piix_ide *d = dev;

	for (unsigned i = 0; i < CHANNELS; i++) {
		slots_free(d->slots[i]);
		dma_list_free(&d->cmd[i].list);
	}
}

static void piix_reset(void *dev)
{
	struct piix_ide *d = dev;

	for (unsigned i = 0; i < CHANNELS; i++) {
		struct channel *ch = &d->ch[i];

		abandon(ch);
		*ch = (struct channel){ .number = i };
		reset_channel(ch);
	}
}

/* Of a command, only the plain part is saved: the rest is made by the next one. */
static void save_cmds(void *dev, struct blob *b)
{
	struct piix_ide *d = dev;

	for (unsigned i = 0; i < CHANNELS; i++) {
		blob_put(b, &d->cmd[i].tf, sizeof(d->cmd[i].tf));
		blob_put(b, &d->cmd[i].busy, 1);
	}
}

static int load_cmds(void *dev, struct blob *b)
{
	struct piix_ide *d = dev;
	int err = 0;

	for (unsigned i = 0; i < CHANNELS && !err; i++) {
		struct ata_cmd *c = &d->cmd[i];

		err = blob_get(b, &c->tf, sizeof(c->tf));
		if (!err)
			err = blob_get(b, &c->busy, 1);
		c->host = &host;
		c->port = &d->ch[i];
		c->drive = d->drive[i][c->tf.device & DEV_SLAVE ? 1 : 0];
		c->busy = c->busy && c->drive;
	}
	return err;
}

static const struct state piix_state[] = { IRQ_OUT(struct piix_ide, irq),
					   STATE(struct piix_ide, ch),
					   { "cmd", offsetof(struct piix_ide, cmd),
					     sizeof(((struct piix_ide *)0)->cmd), STATE_CUSTOM,
					     NULL, save_cmds, load_cmds },
					   DERIVED(struct piix_ide, drive),
					   DERIVED(struct piix_ide, slots),
					   {} };
#define PIIX_CLASS(name_, doc_) \
	.dev = { .api = QUERN_DEVICE_API, \
		 .name = name_, \
		 .doc = doc_, \
		 .bus = "pci", \
		 .size = sizeof(struct piix_ide), \
		 .banks = banks, \
		 .state = piix_state, \
		 .init = piix_init, \
		 .reset = piix_reset, \
		 .fini = piix_fini }, \
	.vendor = 0x8086, .class_code = 0x010180, \
	.bar[4] = { .size = 16, .io = true, .narrow = true, .read = bm_read, .write = bm_write }
static const struct pci_class piix3_class = {
	PIIX_CLASS("piix3-ide", "IDE controller of the 82371SB (PIIX3)"), .device = 0x7010
};
static const struct pci_class piix4_class = {
	PIIX_CLASS("piix4-ide", "IDE controller of the 82371AB (PIIX4)"), .device = 0x7111
};
QUERN_REGISTER(piix3_class);
QUERN_REGISTER(piix4_class);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ahci_port.c - command lists, tables and frame information structures in the guest's memory
 * (AHCI 1.3, chapters 4 to 6; Serial ATA 2.6, 10.3 for the FISes). */
#include "ahci.h"
#include <errno.h>

enum {
	FIS_H2D = 0x27,
	FIS_D2H = 0x34,
	FIS_SDB = 0xa1,
	FIS_PIO = 0x5f,
	AT_PIO = 0x20,
	AT_D2H = 0x40,
	AT_SDB = 0x58,
	HDR_ATAPI = BIT(5),
	HDR_WRITE = BIT(6),
	CMD_ST = BIT(0),
	CMD_FRE = BIT(4),
	TABLE_PACKET = 0x40,
	TABLE_PRD = 0x80,
};

static u64 list_base(const struct ahci *d, unsigned p) { return d->clb[p] | (u64)d->clbu[p] << 32; }

static struct ahci_port *port_of(struct ata_cmd *c) { return c->port; }

static unsigned slot_of(struct ata_cmd *c)
{
	struct ahci_port *p = c->port;

	return c - p->d->slot[p->number];
}

static bool is_queued(u8 command) { return command == 0x60 || command == 0x61; }

/* ---- FISes to the guest */

static void put_fis(struct ahci *d, unsigned p, u32 at, const u8 *fis, unsigned n)
{
	u64 base = d->fb[p] | (u64)d->fbu[p] << 32;

	if (!(d->cmd[p] & CMD_FRE))
		return;
	if (dma_write(&d->pci, base + at, fis, n))
		d->pis[p] |= IS_HBFS;
}

static void interrupt(struct ahci *d, unsigned p, u32 bits)
{
	d->pis[p] |= bits;
	d->news |= (bits & d->pie[p]) != 0;
}

static void fill_fis(u8 *f, u8 type, const struct ata_tf *t)
{
	f[0] = type;
	f[2] = t->status;
	f[3] = t->error;
	f[4] = t->lba;
	f[5] = t->lba >> 8;
	f[6] = t->lba >> 16;
	f[7] = t->device;
	f[8] = t->lba >> 24;
	f[9] = t->lba >> 32;
	f[10] = t->lba >> 40;
	f[12] = t->count;
	f[13] = t->count >> 8;
}

static void send_d2h(struct ahci *d, unsigned p, const struct ata_tf *t, bool irq)
{
	u8 f[20] = { 0 };

	fill_fis(f, FIS_D2H, t);
	f[1] = irq ? 0x40 : 0;
	put_fis(d, p, AT_D2H, f, sizeof(f));
	d->tfd[p] = t->error << 8 | t->status;
	if (irq)
		interrupt(d, p, IS_DHRS);
	if (t->status & ST_ERR)
		interrupt(d, p, IS_TFES);
}

static void send_pio(struct ahci *d, unsigned p, const struct ata_tf *t, u32 n, bool out)
{
	u8 f[20] = { 0 };

	fill_fis(f, FIS_PIO, t);
	f[1] = out ? 0 : 0x20;
	f[2] = ST_DRDY | ST_DSC | ST_DRQ;
	f[15] = ST_DRDY | ST_DSC; /* the status afterwards */
	st16le(f + 16, MIN(n, 0xfffeu));
	put_fis(d, p, AT_PIO, f, sizeof(f));
	d->pis[p] |= IS_PSS;
}

static void send_sdb(struct ahci *d, unsigned p, u32 tags, const struct ata_tf *t)
{
	u8 f[8] = { FIS_SDB, 0x40, t->status & 0x77, t->error };

	st32le(f + 4, tags);
	put_fis(d, p, AT_SDB, f, sizeof(f));
	d->sact[p] &= ~tags;
	d->tfd[p] = (d->tfd[p] & 0x88) | t->error << 8 | (t->status & 0x77);
	interrupt(d, p, IS_SDBS);
	if (t->status & ST_ERR)
		interrupt(d, p, IS_TFES);
}

/* ---- what drives ask for */

/* Walks the descriptors of a slot for bytes [skip, skip + bytes) of the transfer. */
static int walk(struct ata_cmd *c, struct dma_list *l, u64 skip, u64 bytes, bool to_guest)
{
	struct ahci *d = port_of(c)->d;
	unsigned p = port_of(c)->number, slot = slot_of(c);
	u8 h[32], e[16];
	u64 table;
	u32 n;

	l->dev = d;
	l->write = to_guest;
	if (dma_read(&d->pci, list_base(d, p) + slot * 32u, h, sizeof(h)))
		return -EFAULT;
	table = (ld64le(h + 8) & ~0x7full) + TABLE_PRD;
	n = ld16le(h + 2);
	for (u32 i = 0; i < n && bytes; i++) {
		u64 len, take;

		if (dma_read(&d->pci, table + i * 16ull, e, sizeof(e)))
			return -EFAULT;
		len = (ld32le(e + 12) & 0x3fffff) + 1;
		if (skip >= len) {
			skip -= len;
			continue;
		}
		take = MIN(len - skip, bytes);
		if (dma_list_add(l, ld64le(e) + skip, take))
			return -EFAULT;
		bytes -= take;
		skip = 0;
	}
	if (!bytes)
		return 0;
	guest_error(d, "port %u: the descriptors of slot %u are %llu bytes short", p, slot,
		    (unsigned long long)bytes);
	interrupt(d, p, IS_OFS);
	return -EFAULT;
}

static int host_dma(struct ata_cmd *c, u64 bytes, bool to_guest)
{
	return walk(c, &c->list, c->tf.moved, bytes, to_guest);
}

/* Data of PIO commands moves by the same descriptors, at once. */
static void host_pio(struct ata_cmd *c, u8 *buf, u32 n, bool out, bool irq)
{
	struct ahci *d = port_of(c)->d;
	unsigned p = port_of(c)->number;
	struct dma_list *l = &d->pio[p];
	int err = walk(c, l, c->tf.moved, n, !out);

	if (!err && out)
		dma_list_read(l, 0, buf, n);
	else if (!err)
		dma_list_write(l, 0, buf, n);
	if (dma_list_finish(l, err ? 0 : n) || err) {
		ata_done(c, ER_ABRT);
		return;
	}
	send_pio(d, p, &c->tf, n, out);
	ata_pio_done(c);
}

static void host_done(struct ata_cmd *c)
{
	struct ahci *d = port_of(c)->d;
	unsigned p = port_of(c)->number, slot = slot_of(c);
	struct ata_tf *t = &c->tf;
	u8 moved[4];

	d->started[p] &= ~BIT(slot);
	if (port_of(c)->stopping)
		return;
	if (t->ncq) {
		/* the tag that failed stays: the guest asks the log for it */
		send_sdb(d, p, t->status & ST_ERR ? 0 : BIT(t->tag), t);
		d->halted[p] |= t->status & ST_ERR;
		return;
	}
	/* identify and its like have moved one buffer; atapi and PIO count themselves */
	st32le(moved, MAX(t->moved, t->left));
	if (dma_write(&d->pci, list_base(d, p) + slot * 32u + 4, moved, 4))
		interrupt(d, p, IS_HBFS);
	if (t->status & ST_ERR)
		d->halted[p] = true;
	else
		d->ci[p] &= ~BIT(slot);
	send_d2h(d, p, t, true);
}

static void host_batch(void *arg)
{
	struct ahci_port *port = arg;

	ahci_port_run(port->d, port->number);
	ahci_update_irq(port->d);
}

static const struct ata_host host = {
	.dma = host_dma, .pio = host_pio, .done = host_done, .batch = host_batch
};

void ahci_port_attach(struct ahci *d, unsigned p)
{
	d->port[p].d = d;
	d->port[p].number = p;
	d->drive[p]->sata = true;
	d->drive[p]->host = &host;
	d->drive[p]->port = &d->port[p];
}

/* ---- commands */

/* Software reset by a FIS whose control register has SRST (Serial ATA 2.6, 11.4). */
static void control(struct ahci *d, unsigned p, unsigned slot, u8 ctl)
{
	bool srst = ctl & 4;

	d->ci[p] &= ~BIT(slot);
	if (d->srst[p] && !srst) {
		struct ata_tf t = { 0 };

		ata_drive_reset(d->drive[p]);
		ata_signature(d->drive[p], &t);
		send_d2h(d, p, &t, true);
	}
	d->srst[p] = srst;
}

static void fatal(struct ahci *d, unsigned p, const char *why)
{
	guest_error(d, "port %u: %s", p, why);
	interrupt(d, p, IS_HBFS);
	d->halted[p] = true;
}

/* False when it must wait for those under way. */
static bool start(struct ahci *d, unsigned p, unsigned slot)
{
	struct ata_cmd *c = &d->slot[p][slot];
	struct ata_tf *t = &c->tf;
	u8 h[32], f[TABLE_PRD];
	u64 table;

	if (dma_read(&d->pci, list_base(d, p) + slot * 32u, h, sizeof(h))) {
		fatal(d, p, "the command list cannot be read");
		return true;
	}
	table = ld64le(h + 8) & ~0x7full;
	if (dma_read(&d->pci, table, f, sizeof(f))) {
		fatal(d, p, "a command table cannot be read");
		return true;
	}
	if (f[0] != FIS_H2D || (h[0] & 31) < 5) {
		fatal(d, p, "a command that is no register FIS");
		return true;
	}
	if (d->started[p]) {
		unsigned other = __builtin_ctz(d->started[p]);

		if (!is_queued(f[2]) || !is_queued(d->slot[p][other].tf.command) || !(f[1] & 0x80))
			return false;
	}
	if (!(f[1] & 0x80)) {
		control(d, p, slot, f[15]);
		return true;
	}
	c->drive = d->drive[p];
	c->host = &host;
	c->port = &d->port[p];
	t->command = f[2];
	t->feature = f[3] | f[11] << 8;
	t->lba = f[4] | f[5] << 8 | f[6] << 16 | (u64)f[8] << 24 | (u64)f[9] << 32 |
		 (u64)f[10] << 40;
	t->device = f[7];
	t->count = f[12] | f[13] << 8;
	t->left = 0;
	t->have_cdb = true;
	memcpy(t->cdb, f + TABLE_PACKET, sizeof(t->cdb));
	d->started[p] |= BIT(slot);
	if (is_queued(t->command) && !d->drive[p]->cdrom) {
		/* the tag must be the slot's, which is what SActive says */
		if ((t->count >> 3 & 31) != slot)
			guest_error(d, "port %u: tag %u of a queued command in slot %u", p,
				    t->count >> 3 & 31, slot);
		t->count = slot << 3;
		d->ci[p] &= ~BIT(slot);
		d->tfd[p] = ST_DRDY | ST_DSC;
	} else {
		d->tfd[p] |= ST_BSY;
	}
	ata_start(c);
	return true;
}

void ahci_port_run(struct ahci *d, unsigned p)
{
	struct ata_drive *drive = d->drive[p];

	if (!drive || d->port[p].stopping)
		return;
	block_plug(drive->drive);
	for (unsigned s = 0; s < 32 && !d->halted[p] && (d->cmd[p] & CMD_ST); s++) {
		if (!(d->ci[p] & ~d->started[p] & BIT(s)))
			continue;
		if (!start(d, p, s))
			break;
	}
	block_unplug(drive->drive);
}

void ahci_port_stop(struct ahci *d, unsigned p)
{
	if (d->drive[p]) {
		d->port[p].stopping = true;
		block_drain(d->drive[p]->drive);
		for (unsigned s = 0; s < 32; s++) {
			if (d->started[p] & BIT(s))
				ata_forget(&d->slot[p][s]);
		}
		d->port[p].stopping = false;
	}
	d->started[p] = d->ci[p] = d->sact[p] = 0;
	d->halted[p] = false;
}

/* The first FIS of a drive after a reset of the link: what it is. */
void ahci_port_signature(struct ahci *d, unsigned p)
{
	struct ata_tf t = { 0 };

	d->fresh[p] = false;
	if (!d->drive[p])
		return;
	ata_signature(d->drive[p], &t);
	send_d2h(d, p, &t, false);
}

void ahci_port_reset(struct ahci *d, unsigned p)
{
	struct ata_tf t = { 0 };

	if (!d->drive[p]) {
		d->ssts[p] = 0;
		d->sig[p] = ~0u;
		d->tfd[p] = 0x7f;
		return;
	}
	ata_drive_reset(d->drive[p]);
	ata_signature(d->drive[p], &t);
	d->ssts[p] = 0x113; /* present, 1.5 Gb/s, active */
	d->sig[p] = (t.lba & 0xffffff) << 8 | t.count;
	d->tfd[p] = t.error << 8 | t.status;
	d->srst[p] = false;
	d->fresh[p] = !(d->cmd[p] & CMD_FRE);
	if (!d->fresh[p])
		ahci_port_signature(d, p);
}

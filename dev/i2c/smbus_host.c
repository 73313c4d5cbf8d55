/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smbus_host.c - transfers of the SMBus host controllers of PIIX4 (Intel 82371AB data sheet,
 * chapter 7.3) and ICH (Intel ICH9 data sheet, chapter 20.2). The bus sees a transfer when it
 * starts; the driver sees its result when its bits would have been on the wire. */
#include "dev/i2c/smbus_host.h"
#include <errno.h>

/* SMBus 3.1, 4.2.5: a clock that is held low for 25 to 35 ms ends the transfer. */
enum { TIMEOUT_NS = 30000000 };

u8 smbus_host_status(int err)
{
	switch (err) {
	case 0:
		return STS_INTR;
	case -EAGAIN:
		return STS_BUS_ERR;
	default:
		return STS_DEV_ERR;
	}
}

void smbus_host_transfer(struct smbus_host *h, struct smbus *s)
{
	int err;

	s->address = FIELD_GET(ADD_ADDRESS, h->hstadd);
	s->recv = h->hstadd & ADD_READ;
	if (s->protocol == SMBUS_BLOCK || s->protocol == SMBUS_BLOCK_PROC_CALL) {
		memcpy(s->data, h->block, sizeof(s->data));
	} else {
		s->data[0] = h->hstdat0;
		s->data[1] = h->hstdat1;
	}
	err = smbus_transfer(h->bus, s);
	trace(h, "transfer", "protocol=%u address=%#x %s command=%#x result=%d", s->protocol,
	      s->address, s->recv ? "read" : "write", s->command, err);
	h->hststs |= STS_BUSY;
	h->late_sts = smbus_host_status(err);
	h->late_bad_pec = err == -EBADMSG;
	h->late_recv =
		!err && s->protocol != SMBUS_QUICK &&
		(s->recv || s->protocol == SMBUS_PROC_CALL || s->protocol == SMBUS_BLOCK_PROC_CALL);
	h->late_n = s->protocol == SMBUS_BLOCK || s->protocol == SMBUS_BLOCK_PROC_CALL ? s->n : 0;
	memcpy(h->late, s->data, sizeof(h->late));
	if (fault(h, "hang"))
		return; /* until it is killed */
	timer_start(&h->timer, err == -ETIMEDOUT ? TIMEOUT_NS : smbus_ns(s->bytes));
}

bool smbus_host_done(struct smbus_host *h)
{
	h->hststs = (h->hststs & ~STS_BUSY) | h->late_sts;
	if (h->late_recv && h->late_n) {
		h->hstdat0 = h->late_n;
		memcpy(h->block, h->late, sizeof(h->block));
	} else if (h->late_recv) {
		h->hstdat0 = h->late[0];
		h->hstdat1 = h->late[1];
	}
	h->update(h);
	return h->late_bad_pec;
}

void smbus_host_kill(struct smbus_host *h)
{
	if (!(h->hststs & STS_BUSY))
		return;
	trace(h, "kill", "address=%#x", h->hstadd >> 1);
	timer_stop(&h->timer);
	i2c_stop(h->bus);
	h->hststs = (h->hststs & ~STS_BUSY) | STS_FAILED;
	h->update(h);
}

void smbus_host_reset(struct smbus_host *h)
{
	timer_stop(&h->timer);
	if (h->bus)
		i2c_stop(h->bus);
	h->index = 0;
	memset(h->block, 0, sizeof(h->block));
	h->late_sts = h->late_n = h->late_recv = h->late_bad_pec = 0;
	memset(h->late, 0, sizeof(h->late));
	h->update(h);
}

u8 smbus_host_block_read(struct smbus_host *h) { return h->block[h->index++ % SMBUS_BLOCK_MAX]; }

void smbus_host_block_write(struct smbus_host *h, u8 val)
{
	h->block[h->index++ % SMBUS_BLOCK_MAX] = val;
}

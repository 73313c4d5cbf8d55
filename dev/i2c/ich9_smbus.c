/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICH9-SMB - the SMBus host controller of the ICH9, function 3 of device 31 (Intel ICH9 data sheet,
 * 2008, chapter 20). Blocks go through the 32-byte buffer, or byte by byte with an interrupt each.
 */
#include "dev/i2c/smbus_host.h"
#include <errno.h>

enum {
	HOSTC = 0x40,
	HOSTC_EN = BIT(0),
	HOSTC_SMI = BIT(1),
	HOSTC_I2C = BIT(2),
	HOSTC_RESET = BIT(3)
};
enum { STS_ALERT = BIT(5), STS_INUSE = BIT(6), STS_BYTE_DONE = BIT(7) };
enum { CNT_LAST_BYTE = BIT(5), CNT_PEC = BIT(7) };
enum { PROTO_BLOCK = 5, PROTO_I2C_READ = 6, PROTO_BLOCK_CALL = 7 };
enum { AUX_CRC_ERROR = BIT(0), AUX_TCO = BIT(1) };
enum { AUX_AUTO_CRC = BIT(0), AUX_BUFFER = BIT(1) };
enum { PIN_CLK = BIT(0), PIN_DATA = BIT(1), PIN_CLK_CTL = BIT(2) };
enum { NOTIFY_STS = BIT(0), NOTIFY_INTREN = BIT(0), NOTIFY_WKEN = BIT(1), ALERT_DIS = BIT(2) };
/* A block byte by byte: what the timer's end does. */
enum { BYTES_NONE, BYTES_BEGIN, BYTES_MORE, BYTES_LAST };

struct ich9_smbus {
	struct smbus_host host;
	u8 pec, rcvslva, auxsts, auxctl, smlinkpin, smbuspin, slvsts, slvcmd, notifydaddr;
	u8 bytes, left; /* of the byte mode: where it is, and bytes that a block still has */
	u8 pad;
	u16 slvdata, notifydlow;
};

static const u8 *cfg(struct ich9_smbus *d) { return pci_config(&d->host.pci); }

static void update(struct smbus_host *h)
{
	bool on = (h->hststs & (STS_ENDS | STS_BYTE_DONE)) && (h->hstcnt & CNT_INTREN);

	if (on && (pci_config(&h->pci)[HOSTC] & HOSTC_SMI)) {
		unimplemented(h, "hostc: an SMI instead of an interrupt");
		on = false;
	}
	pci_intx(&h->pci, on);
}

/* ---- byte by byte */

static void end_bytes(struct ich9_smbus *d, int err)
{
	struct smbus_host *h = &d->host;

	i2c_stop(h->bus);
	d->bytes = BYTES_NONE;
	h->hststs = (h->hststs & ~STS_BUSY) | smbus_host_status(err);
	update(h);
}

static bool i2c_read(const struct ich9_smbus *d)
{
	return FIELD_GET(CNT_PROTOCOL, d->host.hstcnt) == PROTO_I2C_READ;
}

static bool reads(const struct ich9_smbus *d) { return i2c_read(d) || (d->host.hstadd & ADD_READ); }

/* Everything before the first byte of data. */
static int begin_bytes(struct ich9_smbus *d)
{
	struct smbus_host *h = &d->host;
	u8 address = FIELD_GET(ADD_ADDRESS, h->hstadd);
	int err = i2c_start(h->bus, address, false);

	if (!err)
		err = i2c_send(h->bus, i2c_read(d) ? h->hstdat1 : h->hstcmd);
	if (!err && reads(d))
		err = i2c_start(h->bus, address, true);
	if (err)
		return err;
	d->left = h->hstdat0;
	if (reads(d) && !i2c_read(d))
		d->left = h->hstdat0 = i2c_recv(h->bus);
	else if (!reads(d) && !(cfg(d)[HOSTC] & HOSTC_I2C))
		err = i2c_send(h->bus, h->hstdat0);
	if (!i2c_read(d) && (!d->left || d->left > SMBUS_BLOCK_MAX))
		err = -EPROTO;
	return err;
}

static void one_byte(struct ich9_smbus *d)
{
	struct smbus_host *h = &d->host;
	int err = d->bytes == BYTES_BEGIN ? begin_bytes(d) : 0;

	if (!err && reads(d))
		h->block[0] = i2c_recv(h->bus);
	else if (!err)
		err = i2c_send(h->bus, h->block[0]);
	if (err) {
		end_bytes(d, err);
		return;
	}
	d->bytes = BYTES_MORE;
	if (i2c_read(d) ? (h->hstcnt & CNT_LAST_BYTE) : !--d->left)
		d->bytes = BYTES_LAST;
	h->hststs |= STS_BYTE_DONE;
	update(h);
}

/* The driver has taken a byte, or given another. */
static void byte_acknowledged(struct ich9_smbus *d)
{
	if (d->bytes == BYTES_LAST)
		end_bytes(d, 0);
	else if (d->bytes == BYTES_MORE)
		timer_start(&d->host.timer, smbus_ns(1));
}

static void fired(void *dev)
{
	struct ich9_smbus *d = dev;

	if (d->bytes) {
		one_byte(d);
	} else if (smbus_host_done(&d->host)) {
		d->auxsts |= AUX_CRC_ERROR;
	}
}

/* ---- registers */

static void start(struct ich9_smbus *d)
{
	static const u8 protocol[8] = { SMBUS_QUICK,	 SMBUS_BYTE,	       SMBUS_BYTE_DATA,
					SMBUS_WORD_DATA, SMBUS_PROC_CALL,      SMBUS_BLOCK,
					SMBUS_BLOCK,	 SMBUS_BLOCK_PROC_CALL };
	struct smbus_host *h = &d->host;
	u8 n = FIELD_GET(CNT_PROTOCOL, h->hstcnt);
	struct smbus s = { .protocol = protocol[n], .command = h->hstcmd, .n = h->hstdat0 };
	bool buffer = d->auxctl & AUX_BUFFER;

	s.pec = (h->hstcnt & CNT_PEC) || (d->auxctl & AUX_AUTO_CRC);
	if (h->hststs & STS_BUSY) {
		guest_error(d, "hstcnt: a transfer is started during another");
	} else if (!(cfg(d)[HOSTC] & HOSTC_EN)) {
		guest_error(d, "hstcnt: a transfer is started and hostc says that the host is off");
	} else if (n == PROTO_BLOCK_CALL && !buffer) {
		guest_error(d, "hstcnt: a block process call needs the 32-byte buffer");
		h->hststs |= STS_DEV_ERR;
	} else if (n == PROTO_I2C_READ || (n == PROTO_BLOCK && !buffer)) {
		if (s.pec && n == PROTO_BLOCK)
			unimplemented(d, "hstcnt: a packet error code behind a block byte by byte");
		h->hststs |= STS_BUSY;
		d->bytes = BYTES_BEGIN;
		if (!fault(d, "hang"))
			timer_start(&h->timer, smbus_ns(4));
	} else {
		smbus_host_transfer(h, &s);
	}
}

static void control(void *dev, unsigned i, u64 val)
{
	struct ich9_smbus *d = dev;

	if (val & CNT_KILL) {
		d->bytes = BYTES_NONE;
		smbus_host_kill(&d->host);
	} else if (val & CNT_START) {
		start(d);
	}
	update(&d->host);
}

static u64 control_get(void *dev, unsigned i, u64 val)
{
	((struct smbus_host *)dev)->index = 0;
	return val;
}

/* INUSE_STS is a semaphore: the read that finds it 0 takes it. */
static u64 status_get(void *dev, unsigned i, u64 val)
{
	((struct smbus_host *)dev)->hststs |= STS_INUSE;
	return val;
}

static void status_set(void *dev, unsigned i, u64 val)
{
	struct ich9_smbus *d = dev;

	if (val & STS_BYTE_DONE)
		byte_acknowledged(d);
	update(&d->host);
}

static u64 block_get(void *dev, unsigned i, u64 val)
{
	struct ich9_smbus *d = dev;

	return d->auxctl & AUX_BUFFER ? smbus_host_block_read(&d->host) : d->host.block[0];
}

static void block_set(void *dev, unsigned i, u64 val)
{
	struct ich9_smbus *d = dev;

	if (d->auxctl & AUX_BUFFER)
		smbus_host_block_write(&d->host, (u8)val);
	else
		d->host.block[0] = (u8)val;
}

static const struct reg regs[] = {
	REG(0x00, struct smbus_host, hststs, .ro = STS_BUSY,
	    .w1c = STS_ENDS | STS_ALERT | STS_INUSE | STS_BYTE_DONE, .get = status_get,
	    .set = status_set,
	    FIELDS(STS_BUSY, STS_INTR, STS_DEV_ERR, STS_BUS_ERR, STS_FAILED, STS_ALERT, STS_INUSE,
		   STS_BYTE_DONE),
	    .doc = "HST_STS: how a transfer goes; write 1 to clear."),
	REG(0x02, struct smbus_host, hstcnt, .pulse = CNT_START, .get = control_get, .set = control,
	    FIELDS(CNT_INTREN, CNT_KILL, CNT_PROTOCOL, CNT_LAST_BYTE, CNT_START, CNT_PEC),
	    .doc = "HST_CNT: the protocol, and starts a transfer; reading it rewinds blockdb."),
	REG(0x03, struct smbus_host, hstcmd, .doc = "HST_CMD: the command byte."),
	REG(0x04, struct smbus_host, hstadd, FIELDS(ADD_READ, ADD_ADDRESS),
	    .doc = "XMIT_SLVA: the target's address and the direction."),
	REG(0x05, struct smbus_host, hstdat0, .doc = "HST_D0: first byte, or a block's length."),
	REG(0x06, struct smbus_host, hstdat1, .doc = "HST_D1: second byte; command of I2C reads."),
	{ .name = "blockdb",
	  .at = 0x7,
	  .size = 1,
	  .novalue = true,
	  .get = block_get,
	  .set = block_set,
	  .doc = "HOST_BLOCK_DB: the next byte of a block." },
	REG(0x08, struct ich9_smbus, pec, .doc = "PEC: a code that software made; stored."),
	REG(0x09, struct ich9_smbus, rcvslva, .reset = 0x44, .doc = "RCV_SLVA: own address."),
	REG(0x0a, struct ich9_smbus, slvdata, RO, .doc = "SLV_DATA: data that came as a target."),
	REG(0x0c, struct ich9_smbus, auxsts, .ro = AUX_TCO, .w1c = AUX_CRC_ERROR,
	    FIELDS(AUX_CRC_ERROR, AUX_TCO), .doc = "AUX_STS: a packet error code was wrong."),
	REG(0x0d, struct ich9_smbus, auxctl, FIELDS(AUX_AUTO_CRC, AUX_BUFFER),
	    .doc = "AUX_CTL: packet error codes, and the buffer for blocks."),
	REG(0x0e, struct ich9_smbus, smlinkpin, .ro = PIN_CLK | PIN_DATA, .reset = 7,
	    FIELDS(PIN_CLK, PIN_DATA, PIN_CLK_CTL), .doc = "SMLINK_PIN_CTL: the other wires."),
	REG(0x0f, struct ich9_smbus, smbuspin, .ro = PIN_CLK | PIN_DATA, .reset = 7,
	    FIELDS(PIN_CLK, PIN_DATA, PIN_CLK_CTL), .doc = "SMBUS_PIN_CTL: the wires, at rest."),
	REG(0x10, struct ich9_smbus, slvsts, .w1c = NOTIFY_STS, FIELDS(NOTIFY_STS),
	    .doc = "SLV_STS: host notify; no target here sends it."),
	REG(0x11, struct ich9_smbus, slvcmd, FIELDS(NOTIFY_INTREN, NOTIFY_WKEN, ALERT_DIS),
	    .doc = "SLV_CMD: what host notify does."),
	REG(0x14, struct ich9_smbus, notifydaddr, RO, .doc = "NOTIFY_DADDR: who notified."),
	REG(0x16, struct ich9_smbus, notifydlow, RO, .doc = "NOTIFY_DLOW, DHIGH: with which data."),
	{}
};

/* ---- the function */

static void config_written(void *dev, u32 off, unsigned size, u32 val)
{
	struct ich9_smbus *d = dev;
	u8 *c = pci_config(&d->host.pci);

	if (off > HOSTC || off + size <= HOSTC || !(c[HOSTC] & HOSTC_RESET))
		return;
	c[HOSTC] &= ~HOSTC_RESET; /* done at once */
	d->bytes = BYTES_NONE;
	d->host.hststs &= ~STS_BUSY;
	smbus_host_reset(&d->host);
}

static int ich9_smbus_init(void *dev, struct error *e)
{
	struct ich9_smbus *d = dev;

	d->host.update = update;
	pci_config_wmask(&d->host.pci)[HOSTC] = HOSTC_EN | HOSTC_SMI | HOSTC_I2C | HOSTC_RESET;
	d->host.bus = i2c_bus_new(d, "i2c", e);
	return d->host.bus ? 0 : -EBUSY;
}

static void ich9_smbus_reset(void *dev)
{
	struct ich9_smbus *d = dev;

	d->bytes = BYTES_NONE;
	d->left = 0;
	smbus_host_reset(&d->host);
}

static void ich9_smbus_fini(void *dev) { i2c_bus_free(((struct smbus_host *)dev)->bus); }

static const struct state ich9_smbus_state[] = { SMBUS_HOST_STATE(fired),
						 STATE(struct ich9_smbus, bytes),
						 STATE(struct ich9_smbus, left),
						 DERIVED(struct ich9_smbus, pad),
						 {} };
static const struct pci_class ich9_smbus_class = {
	.dev = { .api = QUERN_DEVICE_API,
		 .name = "ICH9-SMB",
		 .doc = "ICH9 SMBus host controller",
		 .bus = "pci",
		 .size = sizeof(struct ich9_smbus),
		 .state = ich9_smbus_state,
		 .init = ich9_smbus_init,
		 .reset = ich9_smbus_reset,
		 .fini = ich9_smbus_fini },
	.vendor = 0x8086,
	.device = 0x2930,
	.revision = 2,
	.class_code = 0x0c0500,
	.intx = true,
	.multifunction = true,
	.bar[4] = { regs, 0x20, .io = true, .narrow = true },
	.config_written = config_written,
};
QUERN_REGISTER(ich9_smbus_class);

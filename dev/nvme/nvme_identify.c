/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme_identify.c - what the controller and its name spaces are (NVMe 1.4, 5.15). */
#include "nvme.h"
#include <stdio.h>

enum {
	CNS_NS = 0x00,
	CNS_CTRL = 0x01,
	CNS_ACTIVE = 0x02,
	CNS_DESCRIPTORS = 0x03,
	CNS_ALLOCATED = 0x10,
	CNS_ALLOCATED_NS = 0x11,
	CNS_NS_CTRLS = 0x12,
	CNS_CTRLS = 0x13,
	SIZE = 4096,
};

static void pad_text(u8 *at, size_t n, const char *s)
{
	size_t len = strlen(s);

	memset(at, ' ', n);
	memcpy(at, s, MIN(len, n));
}

static void controller(struct nvme *n, u8 *d)
{
	const u8 *c = pci_config(&n->pci);

	memcpy(d, c, 2);
	memcpy(d + 2, c + 0x2c, 2);
	pad_text(d + 4, 20, n->serial);
	pad_text(d + 24, 40, "QEMU NVMe Ctrl");
	pad_text(d + 64, 8, "1.0");
	d[72] = 6;			   /* recommended arbitration burst */
	memcpy(d + 73, "\x00\x54\x52", 3); /* IEEE OUI */
	d[77] = n->mdts;
	st32le(d + 80, 0x00010400);
	st32le(d + 92, BIT(8));	 /* notices of changed name spaces */
	d[111] = 1;		 /* an I/O controller */
	st16le(d + 256, BIT(1)); /* format */
	d[258] = 3;		 /* aborts at a time, minus one */
	d[259] = n->aerl;
	d[260] = 1 << 1 | 1;		   /* one firmware slot, read-only */
	d[261] = BIT(0) | BIT(1) | BIT(2); /* logs: per name space, effects, long offsets */
	d[262] = NVME_ERRORS - 1;
	st16le(d + 266, 343); /* temperatures in kelvin: warning, critical */
	st16le(d + 268, 373);
	d[512] = 0x66; /* 64-byte commands */
	d[513] = 0x44; /* 16-byte completions */
	st32le(d + 516, NVME_MAX_NS);
	/* compare, data set management, write zeroes, time stamp, verify */
	st16le(d + 520, BIT(0) | BIT(2) | BIT(3) | BIT(6) | BIT(7));
	d[525] = 1 | 3 << 1; /* a volatile cache; flush of all name spaces */
	snprintf((char *)d + 768, 256, "nqn.2019-08.org.qemu:%s", n->serial);
	st16le(d + 2048, 2500); /* 25 W */
	st32le(d + 2052, 16);
	st32le(d + 2056, 4);
}

static void name_space(const struct nvme_ns *ns, u8 *d)
{
	u64 blocks = nvme_ns_blocks(ns);
	struct block_info i;

	block_info(ns->drive, &i);
	st64le(d, blocks);
	st64le(d + 8, blocks);
	st64le(d + 16, blocks);
	/* thin provisioning, and hints about sizes */
	d[24] = (i.discard ? BIT(0) : 0) | BIT(4);
	d[25] = 1;			      /* formats, minus one */
	d[26] = nvme_shift(ns) == 12 ? 1 : 0; /* the one in use */
	d[33] = BIT(3) | (i.discard ? 1 : 0); /* what deallocated blocks read as */
	st16le(d + 64,
	       (1u << (ns->physical > nvme_shift(ns) ? ns->physical - nvme_shift(ns) : 0)) - 1);
	st16le(d + 66, ld16le(d + 64));
	st16le(d + 72, MAX(i.optimal >> nvme_shift(ns), 1u) - 1);
	d[99] = ns->readonly;
	st64be(d + 120, ns->eui64);
	d[130] = 9;  /* format 0: 512 bytes */
	d[134] = 12; /* format 1: 4096 bytes */
	d[135] = 0;
}

/* Identifiers above `from`, in order. */
static void list(const struct nvme *n, u32 from, u8 *d)
{
	unsigned k = 0;

	for (u32 i = from + 1; i <= NVME_MAX_NS && k < SIZE / 4; i++) {
		if (n->ns[i])
			st32le(d + 4 * k++, i);
	}
}

static void descriptors(const struct nvme_ns *ns, u8 *d)
{
	static const u8 none[16];

	if (memcmp(ns->uuid, none, 16)) {
		d[0] = 3;
		d[1] = 16;
		memcpy(d + 4, ns->uuid, 16);
		d += 20;
	}
	d[0] = 1;
	d[1] = 8;
	st64be(d + 4, ns->eui64);
}

u16 nvme_identify(struct nvme_req *r)
{
	struct nvme *n = r->n;
	u32 nsid = r->cmd.nsid;
	u8 cns = r->cmd.dw10, d[SIZE] = { 0 };
	const struct nvme_ns *ns = nsid && nsid <= NVME_MAX_NS ? n->ns[nsid] : NULL;
	bool valid = nsid && nsid <= NVME_MAX_NS;

	switch (cns) {
	case CNS_NS:
	case CNS_ALLOCATED_NS:
		/* ~0 asks for what all have in common: the formats */
		if (nsid == ~0u) {
			d[25] = 1;
			d[130] = 9;
			d[134] = 12;
		} else if (!valid) {
			return SC_NAMESPACE | SC_DNR;
		} else if (ns) {
			name_space(ns, d);
		}
		break;
	case CNS_CTRL:
		controller(n, d);
		break;
	case CNS_ACTIVE:
	case CNS_ALLOCATED:
		if (nsid >= 0xfffffffe)
			return SC_NAMESPACE | SC_DNR;
		list(n, nsid, d);
		break;
	case CNS_DESCRIPTORS:
		if (!valid)
			return SC_NAMESPACE | SC_DNR;
		if (!ns)
			return SC_FIELD | SC_DNR;
		descriptors(ns, d);
		break;
	case CNS_NS_CTRLS:
	case CNS_CTRLS:
		if (cns == CNS_NS_CTRLS && !ns)
			return SC_FIELD | SC_DNR;
		st16le(d, r->cmd.dw10 >> 16 ? 0 : 1); /* controller 0 alone */
		break;
	default:
		return SC_FIELD | SC_DNR;
	}
	return nvme_give(r, d, SIZE);
}

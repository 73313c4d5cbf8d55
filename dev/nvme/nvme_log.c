/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme_log.c - log pages (NVMe 1.4, 5.14): errors, health, firmware, changed name spaces, effects.
 */
#include "nvme.h"

enum {
	LOG_ERROR = 1,
	LOG_SMART = 2,
	LOG_FIRMWARE = 3,
	LOG_CHANGED = 4,
	LOG_EFFECTS = 5,
	RETAIN = BIT(15),
	TEMPERATURE = 323, /* kelvin */
};

void nvme_log_error(struct nvme *n, const struct nvme_req *r, u16 status)
{
	struct nvme_error *e = &n->error[n->error_count++ % NVME_ERRORS];

	*e = (struct nvme_error){ .count = n->error_count,
				  .lba = r->cmd.dw10 | (u64)r->cmd.dw11 << 32,
				  .sqid = r->sqid,
				  .cid = r->cmd.cid,
				  .status = status << 1,
				  .where = 0xffff,
				  .nsid = r->cmd.nsid };
}

static size_t errors(const struct nvme *n, u8 *d)
{
	for (unsigned i = 0; i < NVME_ERRORS && i < n->error_count; i++) {
		const struct nvme_error *e = &n->error[(n->error_count - 1 - i) % NVME_ERRORS];
		u8 *p = d + i * 64ul;

		st64le(p, e->count);
		st16le(p + 8, e->sqid);
		st16le(p + 10, e->cid);
		st16le(p + 12, e->status);
		st16le(p + 14, e->where);
		st64le(p + 16, e->lba);
		st32le(p + 24, e->nsid);
	}
	return NVME_ERRORS * 64;
}

static u8 critical(const struct nvme *n)
{
	bool readonly = false;

	for (u32 i = 1; i <= NVME_MAX_NS; i++)
		readonly |= n->ns[i] && n->ns[i]->readonly;
	return (TEMPERATURE >= n->temp_over || TEMPERATURE <= n->temp_under ? BIT(1) : 0) |
	       (readonly ? BIT(3) : 0);
}

static size_t smart(const struct nvme *n, u8 *d)
{
	d[0] = critical(n);
	st16le(d + 1, TEMPERATURE);
	d[3] = 100; /* spare */
	d[4] = 10;
	st64le(d + 32, (n->units_read + 999) / 1000);
	st64le(d + 48, (n->units_written + 999) / 1000);
	st64le(d + 64, n->reads);
	st64le(d + 80, n->writes);
	st64le(d + 112, 1); /* power cycles */
	st64le(d + 128, (clock_ns(n) - n->started) / 3600000000000ull);
	st64le(d + 176, n->error_count);
	return 512;
}

static size_t effects(u8 *d)
{
	static const u8 admin[] = { 0, 1, 2, 4, 5, 6, 8, 9, 10, 12 },
			io[] = { 0, 1, 2, 5, 8, 9, 12 };

	for (unsigned i = 0; i < ARRAY_SIZE(admin); i++)
		st32le(d + admin[i] * 4ul, BIT(0));
	st32le(d + 0x80 * 4,
	       BIT(0) | BIT(1) | BIT(4)); /* format changes contents and capabilities */
	for (unsigned i = 0; i < ARRAY_SIZE(io); i++) {
		bool writes = io[i] == 1 || io[i] == 8 || io[i] == 9;

		st32le(d + 1024 + io[i] * 4ul, BIT(0) | (writes ? BIT(1) : 0));
	}
	return 4096;
}

static size_t changed(struct nvme *n, u8 *d)
{
	unsigned k = 0;

	for (u32 i = 1; i <= NVME_MAX_NS; i++) {
		if (n->ns_changed[(i - 1) / 8] & BIT((i - 1) % 8))
			st32le(d + 4 * k++, i);
	}
	return 4096;
}

u16 nvme_get_log(struct nvme_req *r)
{
	static const u8 type_of[] = { [LOG_ERROR] = 0, [LOG_SMART] = 1, [LOG_CHANGED] = 2 };
	struct nvme *n = r->n;
	u8 id = r->cmd.dw10, d[4096] = { 0 };
	u64 off = r->cmd.dw12 | (u64)r->cmd.dw13 << 32,
	    size = ((u64)(r->cmd.dw10 >> 16) + ((u64)(r->cmd.dw11 & 0xffff) << 16) + 1) * 4;
	size_t have;
	u16 err;

	_Static_assert(NVME_ERRORS * 64 <= sizeof(d), "the error log fits");
	switch (id) {
	case LOG_ERROR:
		have = errors(n, d);
		break;
	case LOG_SMART:
		have = smart(n, d);
		break;
	case LOG_FIRMWARE:
		d[0] = 1;
		memcpy(d + 8, "1.0     ", 8);
		have = 512;
		break;
	case LOG_CHANGED:
		have = changed(n, d);
		break;
	case LOG_EFFECTS:
		have = effects(d);
		break;
	default:
		return SC_LOG_PAGE | SC_DNR;
	}
	if (off % 4 || off > have)
		return SC_FIELD | SC_DNR;
	size = MIN(size, have - off);
	err = size ? nvme_give(r, d + off, size) : SC_OK;
	if (err || (r->cmd.dw10 & RETAIN))
		return err;
	if (id == LOG_CHANGED)
		memset(n->ns_changed, 0, sizeof(n->ns_changed));
	if (id < ARRAY_SIZE(type_of)) {
		u8 type = type_of[id];

		/* the host has seen it: the next event of this kind may come (5.2) */
		if (id != LOG_FIRMWARE)
			n->event_masked[type] = 0;
	}
	return SC_OK;
}

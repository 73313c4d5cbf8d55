/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmgenid.c - a number that changes when the machine is another one than it was: in guest memory,
 * with an ACPI event when a snapshot is loaded (Microsoft, Virtual Machine Generation ID, 2012;
 * QEMU, Virtual Machine Generation ID Device). Firmware places it and tells the address; where
 * there is none, the loader does. */
#include <quern/device.h>
#include <quern/vmgenid.h>
#include <errno.h>

struct vmgenid {
	struct device dev;
	const char *guid;
	u8 page[VMGENID_PAGE];
	u8 address[8];
	u64 placed;
};

static u8 *guid_of(struct vmgenid *d) { return d->page + VMGENID_GUID; }

/* ---- text: the first three groups are numbers, stored little-endian */

static const u8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return p ? (int)(p - digits) : -1;
}

static bool parse_guid(const char *s, u8 out[16])
{
	for (unsigned i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return false;
		high = hex(s[0]);
		low = high < 0 ? -1 : hex(s[1]);
		if (low < 0)
			return false;
		out[order[i]] = high << 4 | low;
		s += 2;
	}
	return !*s;
}

/* ---- */

static bool is_auto(const struct vmgenid *d) { return !strcmp(d->guid, "auto"); }

static void draw(struct vmgenid *d)
{
	u8 *g = guid_of(d);

	device_random(d, g, 16);
	/* RFC 4122, 4.4: version 4 */
	g[7] = (g[7] & 0x0f) | 0x40;
	g[8] = (g[8] & 0x3f) | 0x80;
}

static int init(void *dev, struct error *e)
{
	struct vmgenid *d = dev;

	if (is_auto(d)) {
		draw(d);
	} else if (!parse_guid(d->guid, guid_of(d))) {
		error_set(e,
			  "guid=%s is neither auto nor of the form "
			  "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87",
			  d->guid);
		return -EINVAL;
	}
	return 0;
}

static u64 where(const struct vmgenid *d) { return d->placed ? d->placed : ld64le(d->address); }

/* The guest's memory is that of the snapshot and has the number of then. */
static void loaded(void *dev)
{
	struct vmgenid *d = dev;
	struct device *pm = device_peer(d, "pm");
	u64 at = where(d);

	if (is_auto(d))
		draw(d);
	trace(d, "changed", "address=%#llx", (unsigned long long)at);
	if (!at || dev_dma_write(d, at, guid_of(d), 16))
		return;
	if (pm && pm->class->input)
		pm->class->input(pm, VMGENID_GPE, 1);
}

static void reset(void *dev)
{
	struct vmgenid *d = dev;

	memset(d->address, 0, sizeof(d->address));
}

static const u8 *page(void *dev) { return ((struct vmgenid *)dev)->page; }

static u8 *address(void *dev) { return ((struct vmgenid *)dev)->address; }

static void written(void *dev)
{
	trace(dev, "written", "address=%#llx",
	      (unsigned long long)ld64le(((struct vmgenid *)dev)->address));
}

static void placed(void *dev, u64 address) { ((struct vmgenid *)dev)->placed = address; }

static const struct vmgenid_iface iface = {
	.page = page, .address = address, .written = written, .placed = placed
};
static const struct prop props[] = { PROP(struct vmgenid, guid, .kind = PROP_STR, .def_str = "auto",
					  .doc = "The generation ID, or auto: drawn anew with each "
						 "start and each snapshot that is loaded."),
				     {} };
static const struct state state[] = { DERIVED(struct vmgenid, page),
				      STATE(struct vmgenid, address),
				      DERIVED(struct vmgenid, placed),
				      {} };
DEVICE(vmgenid, .name = "vmgenid", .bus = "system",
       .doc = "Generation ID: tells a guest that it was copied or goes on from the past",
       .props = props, .state = state, .init = init, .reset = reset, .loaded = loaded,
       .iface = &iface);

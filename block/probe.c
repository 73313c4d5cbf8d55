/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.c - signatures of image formats, from their specifications. */
#include "block/probe.h"

static const struct {
	const char *name;
	u32 at, n;
	const char *magic;
} formats[] = {
	{ "qcow2", 0, 4, "QFI\xfb" },
	{ "vmdk", 0, 4, "KDMV" },
	{ "vmdk", 0, 4, "COWD" },
	{ "vhdx", 0, 8, "vhdxfile" },
	{ "vpc", 0, 8, "conectix" },
	{ "vdi", 0x40, 4, "\x7f\x10\xda\xbe" },
	{ "qed", 0, 4, "QED\0" },
	{ "luks", 0, 6, "LUKS\xba\xbe" },
	{ "parallels", 0, 16, "WithoutFreeSpace" },
	{ "parallels", 0, 16, "WithouFreSpacExt" },
	{ "bochs", 0, 22, "Bochs Virtual HD Image" },
};

const char *probe_format(const u8 *head, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (range_fits(formats[i].at, formats[i].n, n) &&
		    !memcmp(head + formats[i].at, formats[i].magic, formats[i].n))
			return formats[i].name;
	}
	return NULL;
}

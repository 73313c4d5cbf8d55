/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_check_test.c - every device class of the tree passes the check of its tables; a class with
 * every mistake is told of each. */
#include "cli/device_check.h"
#include "lib/str.h"
#include "lib/test.h"
#include <quern/pci.h>
#include <stdio.h>

static unsigned bad;
static void tell(void *arg, const char *text)
{
	bad++;
	fprintf(stderr, "%s\n", text);
}

static void check_class(void *arg, const struct device_class *c)
{
	device_class_check(c, tell, NULL);
}

TEST(devices_have_sound_and_documented_tables)
{
	device_class_each(check_class, NULL);
	CHECK_EQ(bad, 0);
}

/* ---- a class that is not registered */

enum { LOW = 0x0f, HIGH = 0x100 };
struct tbad {
	struct pci_device pci;
	u64 array[4];
	u32 forgotten[2];
	u8 small, twice;
	u16 number;
};
static const struct reg bad_regs[] = { REG(0x00, struct tbad, small, FIELDS(LOW, HIGH),
					   .reset = 0x11, .w1c = 0x300, .pulse = 0x20),
				       REGS(0x08, struct tbad, array, 16, .doc = "Up to 40h."),
				       REG(0x10, struct tbad, twice,
					   .doc = "Between the elements."),
				       REG(0x28, struct tbad, twice, .doc = "On an element."),
				       {} };
static const struct prop bad_props[] = { PROP(struct tbad, number), {} };
static const struct pci_class bad_class = {
	.dev = { .api = QUERN_DEVICE_API,
		 .name = "tbad",
		 .bus = "pci",
		 .size = sizeof(struct tbad),
		 .props = bad_props },
	.bar[2] = { bad_regs, 0x20 },
};

static char said[2048];
static void note(void *arg, const char *text)
{
	CHECK(strlen(said) + strlen(text) + 2 < sizeof(said));
	strcat(strcat(said, text), "\n");
}

TEST(device_check_tells_every_mistake)
{
	unsigned n = device_class_check(&bad_class.dev, note, NULL);

	CHECK_STR(said,
		  "device tbad: the class has no .doc\n"
		  "device tbad: property number has no .doc\n"
		  "device tbad: register small has no .doc\n"
		  "device tbad: register small resets to bits that no field names\n"
		  "device tbad: register small: .w1c has bits that its 8 bits have not\n"
		  "device tbad: register small: .pulse has bits that no field names\n"
		  "device tbad: register small: field HIGH has bits that its 8 bits have not\n"
		  "device tbad: register array does not fit into its bank of 0x20 bytes\n"
		  "device tbad: register twice does not fit into its bank of 0x20 bytes\n"
		  "device tbad: registers array and twice overlap\n"
		  "device tbad: twice and twice have bytes of the structure in common\n"
		  "device tbad: 8 bytes of the structure behind array are in no table\n");
	CHECK_EQ(n, 12);
}

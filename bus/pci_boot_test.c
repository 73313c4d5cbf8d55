/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_boot_test.c - bootindex= and how firmware names a function; properties about option ROMs. */
#include "bus/pci.h"
#include "core/tdev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/test.h"

static void check_path(const char *class, const char *props, s64 index, const char *path)
{
	struct tdev *t = tdev_new_props(class, props);
	struct pci_device *p = (struct pci_device *)tdev_device(t);
	AUTO_FREE char *got = pci_boot_path(p);

	CHECK_EQ(pci_bootindex(p), index);
	CHECK_STR(got, path);
	tdev_free(t);
}

TEST(pci_boot_paths)
{
	check_path("virtio-net-pci", "bootindex=3,romfile=,rombar=0", 3,
		   "/pci@i0cf8/ethernet@0/ethernet-phy@0");
	check_path("crc", "multifunction=on", -1, "/pci@i0cf8/pci1234,c2@0");
	check_path("virtio-rng-pci", NULL, -1, "/pci@i0cf8/pci1af4,1005@0");
}

TEST(pci_boot_index_is_a_number)
{
	struct tdev *t = tdev_empty();
	struct error e = { 0 };

	CHECK(!device_make(tdev_machine(t), "crc", NULL, "bootindex=first", &e));
	CHECK_STR(e.text, "property 'bootindex' takes a number from 0, not 'first'");
	error_clear(&e);
	tdev_free(t);
}

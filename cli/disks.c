/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disks.c - makes the drives of the command line, and the devices that they come with. */
#include "cli/disks.h"
#include "block/drive.h"
#include "board/board.h"
#include "core/device.h"
#include "lib/str.h"
#include <errno.h>

static struct drive_defaults defaults(const struct machine *m, const struct settings *s)
{
	const char *board = m->board->name;

	return (struct drive_defaults){ .interface =
						str_eq(board, "microvm") ? DRIVE_VIRTIO : DRIVE_IDE,
					.ide_units = str_eq(board, "q35") ? 1 : 2,
					.snapshot = s->snapshot };
}

int disks_make(struct machine *m, const struct settings *s, struct error *e)
{
	struct drive_defaults d = defaults(m, s);
	int err = 0;

	for (size_t i = 0; i < s->blockdevs.n && !err; i++) {
		err = blockdev_add(m, &s->blockdevs.at[i], e);
		if (err) {
			AUTO_FREE char *text = keyvals_text(&s->blockdevs.at[i]);

			error_prefix(e, "-blockdev %s", text);
		}
	}
	for (size_t i = 0; i < s->drives.n && !err; i++) {
		AUTO_FREE char *text = keyvals_text(&s->drives.at[i]);

		if (!drive_new(m, &s->drives.at[i], &d, e)) {
			error_prefix(e, "-drive %s", text);
			err = -EINVAL;
		}
	}
	return err;
}

static int plug(struct machine *m, struct block *b, struct error *e)
{
	AUTO_FREE char *props = NULL;
	const char *class = "virtio-blk-pci";

	if (b->if_type == DRIVE_IDE) {
		class = b->cdrom ? "ide-cd" : "ide-hd";
		props = xasprintf("bus=ide.%d,unit=%d,drive=%s", b->bus, b->unit, b->id);
	} else {
		if (str_eq(m->board->name, "microvm"))
			class = "virtio-blk-device";
		props = xasprintf("drive=%s", b->id);
	}
	if (!device_class_find(class))
		return error_ret(e, -ENODEV, "device '%s' is not built yet", class);
	return device_make(m, class, NULL, props, e) ? 0 : -EINVAL;
}

int disks_plug(struct machine *m, const struct settings *s, struct error *e)
{
	int err = 0;

	for (struct block *b = block_next(m, NULL); b && !err; b = block_next(m, b)) {
		if (!b->auto_device || b->dev)
			continue;
		err = plug(m, b, e);
		if (err)
			error_prefix(e, "drive '%s'", b->id);
	}
	return err;
}

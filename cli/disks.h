/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disks.h - what -drive, -blockdev, -hda... asked for. */
#pragma once
#include "cli/settings.h"
#include "lib/error.h"

/* Nodes and drives, before any device names them. */
int disks_make(struct machine *m, const struct settings *s, struct error *e) must_check;
/* The devices of drives with if=ide and if=virtio. */
int disks_plug(struct machine *m, const struct settings *s, struct error *e) must_check;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot_device.h - one device's section of a snapshot, made from its tables. */
#pragma once
#include "core/device.h"

struct blob;
void snapshot_save_device(struct device *d, struct blob *b);
/* 0, or -EINVAL with a sentence that names the value. The class's `loaded` is not called yet. */
int must_check snapshot_load_device(struct device *d, struct blob *b, struct error *e);

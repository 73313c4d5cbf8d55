/* SPDX-License-Identifier: GPL-2.0-or-later */
/* region_access.h - transfers of any length through a region's callbacks. */
#pragma once
#include "core/space.h"

enum mem_result region_read_bytes(struct region *r, u64 off, u8 *buf, size_t n,
				  struct mem_attrs attrs);
enum mem_result region_write_bytes(struct region *r, u64 off, const u8 *buf, size_t n,
				   struct mem_attrs attrs);

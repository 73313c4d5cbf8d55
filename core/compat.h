/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compat.h - the version of QEMU whose options, commands and protocols are spoken. */
#pragma once

#define QEMU_MAJOR 10
#define QEMU_MINOR 2
#define QEMU_MICRO 0
#define QEMU_TEXT  "10.2.0"

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_check.h - what every device class must hold, as far as its tables alone can tell. */
#pragma once
#include "core/device.h"

/* Each mistake is one line for fn; returns how many there are. */
unsigned device_class_check(const struct device_class *c, void (*fn)(void *arg, const char *text),
			    void *arg);
/* Every table of registers of a class: its banks, and the BARs of a PCI device. */
void device_class_banks(const struct device_class *c, void (*fn)(void *arg, const struct bank *b),
			void *arg);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regfile_fuzz.c - fuzzes the descriptions of i2c-regfile: what is accepted makes a bank that takes
 * any access. Run by make fuzz-regfile. */
#include "bus/i2c.h"
#include "core/machine.h"
#include "core/reg.h"
#include "dev/i2c/regfile.h"
#include "lib/alloc.h"
#include "lib/error.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u64 store[(sizeof(struct device) + REGFILE_STORE) / 8 + 1];
	struct device_class class = { .name = "fuzz", .size = sizeof(store) };
	struct device *d = (struct device *)store;
	struct device_core core = { .dev = d };
	struct regbank b;
	struct region region;
	struct error e = { 0 };
	struct regfile *f = regfile_parse("f", (const char *)data, size, sizeof(struct device), &e);

	error_clear(&e);
	if (!f)
		return 0;
	*d = (struct device){ .class = &class, .id = "fuzz", .core = &core };
	list_init(&core.regbanks);
	core.machine = machine_new();
	if (regbank_init(&b, d, &f->bank, &region, &e))
		__builtin_trap(); /* the parser has looked */
	regbank_reset(&b);
	for (u64 at = 0; at < MIN(f->bank.size, (u64)4096); at++) {
		regbank_write(&b, at, 1u << at % 3, at * 0x9e3779b9);
		regbank_read(&b, at, 1u << at % 3);
	}
	for (unsigned i = 0; i < f->nregs; i++)
		regfile_value(f, i, i * 0x123456789ull, i * 77);
	regbank_fini(&b);
	machine_free(core.machine);
	regfile_free(f);
	return 0;
}

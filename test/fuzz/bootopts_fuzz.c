/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootopts_fuzz.c - fuzzes the texts of -smbios, -uuid, -fw_cfg and -device loader. Run by make
 * fuzz-bootopts. */
#include "boot/boot.h"
#include "boot/smbios.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);
	struct x86_board_info info = { .ram_low = 64 << 20, .sockets = 1, .cores = 1 };
	struct smbios s = { 0 };
	struct smbios_tables t;
	struct boot_fw_cfg f;
	struct boot_loader l = { 0 };
	struct error e = { 0 };
	char *eq;

	/* no files: a fuzzer that opens what it makes up finds only the file system */
	if (strstr(text, "file"))
		return 0;
	if (!smbios_parse(&s, text, &e)) {
		smbios_build(&t, &s, &info, "pc");
		strbuf_fini(&t.data);
	}
	error_clear(&e);
	if (smbios_set_uuid(&s, text, &e))
		error_clear(&e);
	smbios_fini(&s);
	if (!strncmp(text, "opt/", 4) && !boot_fw_cfg_parse(text, &f, &e))
		boot_fw_cfg_fini(&f);
	error_clear(&e);
	eq = strchr(text, '=');
	if (eq) {
		*eq = 0;
		if (boot_loader_set(&l, text, eq + 1, &e) || boot_loader_check(&l, &e))
			error_clear(&e);
	}
	return 0;
}

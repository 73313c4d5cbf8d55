/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot.h - gets a guest started: what the command line asks for is checked, read, and placed at
 * every reset. */
#pragma once
#include <quern/types.h>
#include "core/machine.h"
#include "lib/bytes.h"
#include "lib/error.h"

/* -machine kernel-decompress=host|guest|guest16|guest32|guest64: who unpacks a bzImage, and through
 * which entry point. */
enum boot_decompress {
	DECOMPRESS_HOST,
	DECOMPRESS_GUEST,
	DECOMPRESS_GUEST16,
	DECOMPRESS_GUEST32,
	DECOMPRESS_GUEST64
};
int boot_decompress_parse(const char *s, enum boot_decompress *d, struct error *e) must_check;

/* -fw_cfg [name=]NAME,file=F|string=S, parsed by boot_fw_cfg_parse; data is malloc'ed. */
struct boot_fw_cfg {
	char *name;
	struct bytes data;
};
/* -device loader,...: a value of 1 to 8 bytes, or a file. */
struct boot_loader {
	const char *file; /* or NULL: data below */
	u64 addr;
	bool has_addr;
	u64 data;
	u8 data_len;
	bool data_be;
	u32 cpu;
	bool has_cpu; /* cpu-num: whose program counter is set to addr (or to the ELF's entry) */
	bool force_raw;
};
struct smbios;
struct boot_plan;

/* Texts and arrays stay the caller's; they must live until boot_prepare returns. */
struct boot_options {
	const char *kernel, *append, *dtb;
	const char *
		initrd; /* the option's text: a path; for multiboot kernels "FILE ARGS,FILE ARGS" */
	struct bytes initrd_data; /* an initrd made in memory instead of a file (taken over by
				     boot_prepare); used when data is not NULL */
	enum boot_decompress decompress;
	bool kaslr;   /* -machine kaslr=on: the loader slides a relocatable kernel by the machine's
			 randomness */
	bool no_acpi; /* -machine acpi=off is the board's business; this one is for tests */
	const struct smbios *smbios; /* -smbios and -uuid, or NULL for the defaults */
	const struct boot_fw_cfg *fw_cfg;
	unsigned nfw_cfg;
	const struct boot_loader *loader;
	unsigned nloader;
	const char *boot_order;	     /* -boot order= letters, or NULL */
	int boot_menu_ms, reboot_ms; /* -boot splash-time=, reboot-timeout=; -1 = not given */
	bool boot_menu;
	char *const
		*bootindex; /* firmware device paths in boot order, for -device ...,bootindex= */
	unsigned nbootindex;
	struct boot_plan *plan; /* out: belongs to the caller, until boot_release */
};

/* What is wrong with the options as such ("-append only allowed with -kernel option"), before any
 * machine is built. */
int boot_check_options(const struct boot_options *o, struct error *e) must_check;
/* Reads everything and hooks its placement into the machine's reset. Boards are built before. */
int boot_prepare(struct machine *m, struct boot_options *o, struct error *e) must_check;
/* Releases what boot_prepare made, after machine_free. */
void boot_release(struct boot_options *o);

/* "[name=]NAME,file=F" or "...,string=S" with ,, escapes. A name that does not begin with opt/ is
 * warned about. */
int boot_fw_cfg_parse(const char *text, struct boot_fw_cfg *f, struct error *e) must_check;
void boot_fw_cfg_fini(struct boot_fw_cfg *f);
/* The properties of -device loader: "addr=..,data=..,data-len=..". The strings must stay. */
int boot_loader_set(struct boot_loader *l, const char *key, const char *value,
		    struct error *e) must_check;
int boot_loader_check(const struct boot_loader *l, struct error *e) must_check;

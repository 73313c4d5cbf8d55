/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smbios.c - SMBIOS structures (DMTF DSP0134 2.8 and 3.0): BIOS, system, board, chassis,
 * processors, OEM strings, memory, boot status. */
#include "smbios.h"
#include "acpi.h"
#include <errno.h>
#include <stdio.h>

enum smbios_field {
	BIOS_VENDOR,
	BIOS_VERSION,
	BIOS_DATE,
	BIOS_RELEASE,
	BIOS_UEFI,
	SYS_MANUFACTURER,
	SYS_PRODUCT,
	SYS_VERSION,
	SYS_SERIAL,
	SYS_UUID,
	SYS_SKU,
	SYS_FAMILY,
	BOARD_MANUFACTURER,
	BOARD_PRODUCT,
	BOARD_VERSION,
	BOARD_SERIAL,
	BOARD_ASSET,
	BOARD_LOCATION,
	CHASSIS_MANUFACTURER,
	CHASSIS_VERSION,
	CHASSIS_SERIAL,
	CHASSIS_ASSET,
	CHASSIS_SKU,
	CPU_PREFIX,
	CPU_MANUFACTURER,
	CPU_VERSION,
	CPU_SERIAL,
	CPU_ASSET,
	CPU_PART,
	CPU_MAX_SPEED,
	CPU_SPEED,
	OEM_VALUE,
	DIMM_PREFIX,
	DIMM_BANK,
	DIMM_MANUFACTURER,
	DIMM_SERIAL,
	DIMM_ASSET,
	DIMM_PART,
	DIMM_SPEED,
	FIELD_COUNT
};
_Static_assert((int)FIELD_COUNT <= (int)SMBIOS_FIELDS, "room for every field");

static const struct {
	u8 type;
	const char *key;
} fields[FIELD_COUNT] = {
	[BIOS_VENDOR] = { 0, "vendor" },
	[BIOS_VERSION] = { 0, "version" },
	[BIOS_DATE] = { 0, "date" },
	[BIOS_RELEASE] = { 0, "release" },
	[BIOS_UEFI] = { 0, "uefi" },
	[SYS_MANUFACTURER] = { 1, "manufacturer" },
	[SYS_PRODUCT] = { 1, "product" },
	[SYS_VERSION] = { 1, "version" },
	[SYS_SERIAL] = { 1, "serial" },
	[SYS_UUID] = { 1, "uuid" },
	[SYS_SKU] = { 1, "sku" },
	[SYS_FAMILY] = { 1, "family" },
	[BOARD_MANUFACTURER] = { 2, "manufacturer" },
	[BOARD_PRODUCT] = { 2, "product" },
	[BOARD_VERSION] = { 2, "version" },
	[BOARD_SERIAL] = { 2, "serial" },
	[BOARD_ASSET] = { 2, "asset" },
	[BOARD_LOCATION] = { 2, "location" },
	[CHASSIS_MANUFACTURER] = { 3, "manufacturer" },
	[CHASSIS_VERSION] = { 3, "version" },
	[CHASSIS_SERIAL] = { 3, "serial" },
	[CHASSIS_ASSET] = { 3, "asset" },
	[CHASSIS_SKU] = { 3, "sku" },
	[CPU_PREFIX] = { 4, "sock_pfx" },
	[CPU_MANUFACTURER] = { 4, "manufacturer" },
	[CPU_VERSION] = { 4, "version" },
	[CPU_SERIAL] = { 4, "serial" },
	[CPU_ASSET] = { 4, "asset" },
	[CPU_PART] = { 4, "part" },
	[CPU_MAX_SPEED] = { 4, "max-speed" },
	[CPU_SPEED] = { 4, "current-speed" },
	[OEM_VALUE] = { 11, "value" },
	[DIMM_PREFIX] = { 17, "loc_pfx" },
	[DIMM_BANK] = { 17, "bank" },
	[DIMM_MANUFACTURER] = { 17, "manufacturer" },
	[DIMM_SERIAL] = { 17, "serial" },
	[DIMM_ASSET] = { 17, "asset" },
	[DIMM_PART] = { 17, "part" },
	[DIMM_SPEED] = { 17, "speed" },
};

/* ---- options */

int uuid_parse(const char *text, u8 uuid[16])
{
	static const u8 dash_after[] = { 4, 6, 8, 10 };
	unsigned dashes = 0;
	u8 out[16];

	for (unsigned i = 0; i < 16; i++) {
		u64 v;
		char digits[3] = { text[0], text[0] ? text[1] : 0, 0 };

		if (strlen(digits) != 2 || str_to_u64(digits, 16, &v))
			return -EINVAL;
		out[i] = v;
		text += 2;
		if (dashes < 4 && i + 1 == dash_after[dashes]) {
			dashes++;
			if (*text++ != '-')
				return -EINVAL;
		}
	}
	if (*text)
		return -EINVAL;
	memcpy(uuid, out, 16);
	return 0;
}

int smbios_set_uuid(struct smbios *s, const char *text, struct error *e)
{
	if (uuid_parse(text, s->uuid))
		return error_ret(e, -EINVAL,
				 "failed to parse UUID string '%s': it is like "
				 "01234567-89ab-cdef-0123-456789abcdef",
				 text);
	s->has_uuid = true;
	return 0;
}

/* The next "key=value" with ",," turned into ","; false at the end. */
static bool next_pair(const char **text, struct strbuf *out)
{
	const char *p = *text;

	strbuf_fini(out);
	if (!*p)
		return false;
	for (; *p; p++) {
		if (*p == ',' && p[1] != ',')
			break;
		if (*p == ',')
			p++;
		strbuf_addc(out, *p);
	}
	*text = *p ? p + 1 : p;
	return true;
}

static int set_number(enum smbios_field f, const char *v, struct error *e)
{
	unsigned major, minor;
	bool on;
	u64 n;
	int used = 0;

	if ((f == CPU_MAX_SPEED || f == CPU_SPEED || f == DIMM_SPEED) &&
	    (str_to_u64(v, 0, &n) || n > 0xffff))
		return error_ret(e, -EINVAL, "%s=%s: it must be a number up to 65535",
				 fields[f].key, v);
	if (f == BIOS_RELEASE && (sscanf(v, "%3u.%3u%n", &major, &minor, &used) != 2 || v[used] ||
				  major > 255 || minor > 255))
		return error_ret(e, -EINVAL, "release=%s: it must be MAJOR.MINOR, each up to 255",
				 v);
	if (f == BIOS_UEFI && str_to_bool(v, &on))
		return error_ret(e, -EINVAL, "uefi=%s: it must be on or off", v);
	return 0;
}

static int set_field(struct smbios *s, u64 type, const char *key, const char *value,
		     struct error *e)
{
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		int err;

		if (fields[f].type != type || strcmp(fields[f].key, key))
			continue;
		if (f == SYS_UUID)
			return smbios_set_uuid(s, value, e);
		if (f == OEM_VALUE) {
			vec_push(&s->oem, xstrdup(value));
			return 0;
		}
		err = set_number(f, value, e);
		if (err)
			return err;
		free(s->value[f]);
		s->value[f] = xstrdup(value);
		return 0;
	}
	return error_ret(e, -EINVAL, "type=%llu has no field '%s'", (unsigned long long)type, key);
}

static int add_file(struct smbios *s, const char *path, struct error *e)
{
	struct bytes b;
	int err = bytes_read_file(&b, path, 0xffff, e);

	if (err) {
		error_prefix(e, "file=%s", path);
		return err;
	}
	vec_push(&s->file, b);
	/* a structure, its strings and two zeros */
	if (b.size < 6 || b.data[1] < 4 || b.data[1] > b.size - 2 || b.data[b.size - 1] ||
	    b.data[b.size - 2])
		return error_ret(e, -EINVAL,
				 "file=%s is no SMBIOS structure: a header, strings and "
				 "two zero bytes",
				 path);
	if (b.data[0] == 127)
		return error_ret(e, -EINVAL,
				 "file=%s: the end-of-table structure is added by itself", path);
	return 0;
}

int smbios_parse(struct smbios *s, const char *text, struct error *e)
{
	struct strbuf pair = { 0 };
	bool has_type = false;
	u64 type = 0;
	int err = 0;

	for (const char *p = text; !err && next_pair(&p, &pair);) {
		char *eq = strchr(pair.at ?: "", '='), *key = pair.at;

		if (!eq) {
			err = error_ret(e, -EINVAL, "%s: '%s' is not of the form key=value", text,
					key ?: "");
			break;
		}
		*eq++ = 0;
		if (!strcmp(key, "file")) {
			err = add_file(s, eq, e);
		} else if (!strcmp(key, "type")) {
			has_type = true;
			if (str_to_u64(eq, 0, &type) || !(type <= 4 || type == 11 || type == 17))
				err = error_ret(e, -EINVAL,
						"type=%s is not supported; 0, 1, 2, 3, 4, "
						"11 and 17 are",
						eq);
			else
				s->given[type] = true;
		} else if (!has_type) {
			err = error_ret(e, -EINVAL, "%s: give type= before '%s'", text, key);
		} else {
			err = set_field(s, type, key, eq, e);
		}
	}
	if (!err && !*text)
		err = error_ret(e, -EINVAL, "it needs type= or file=");
	strbuf_fini(&pair);
	return err;
}

void smbios_fini(struct smbios *s)
{
	for (unsigned i = 0; i < SMBIOS_FIELDS; i++)
		free(s->value[i]);
	for (size_t i = 0; i < s->oem.n; i++)
		free(s->oem.at[i]);
	for (size_t i = 0; i < s->file.n; i++)
		bytes_fini(&s->file.at[i]);
	vec_free(&s->oem);
	vec_free(&s->file);
	*s = (struct smbios){ 0 };
}

/* ---- structures */

struct build {
	struct smbios_tables *t;
	const struct smbios *s;
	size_t at; /* of the open structure */
	unsigned strings;
	struct strbuf text;
};

static const char *value(const struct build *b, enum smbios_field f, const char *def)
{
	return b->s && b->s->value[f] ? b->s->value[f] : def;
}

static u64 number(const struct build *b, enum smbios_field f, u64 def)
{
	u64 v = def;

	if (b->s && b->s->value[f] && str_to_u64(b->s->value[f], 0, &v))
		v = def;
	return v;
}

static void begin(struct build *b, u8 type, u16 handle)
{
	u8 head[4] = { type };

	st16le(head + 2, handle);
	b->at = b->t->data.n;
	b->strings = 0;
	strbuf_addn(&b->t->data, head, sizeof(head));
}

static void le(struct build *b, u64 v, unsigned n)
{
	u8 raw[8];

	st64le(raw, v);
	strbuf_addn(&b->t->data, raw, n);
}

/* A reference to a string; an empty one is 0. */
static void text(struct build *b, const char *s)
{
	if (!s || !*s) {
		le(b, 0, 1);
		return;
	}
	strbuf_addn(&b->text, s, strlen(s) + 1);
	le(b, ++b->strings, 1);
}

static void end(struct build *b)
{
	struct strbuf *d = &b->t->data;

	d->at[b->at + 1] = d->n - b->at;
	if (b->strings)
		strbuf_addn(d, b->text.at, b->text.n);
	else
		strbuf_addc(d, 0);
	strbuf_addc(d, 0);
	strbuf_fini(&b->text);
	b->t->count++;
	b->t->largest = MAX(b->t->largest, (unsigned)(d->n - b->at));
}

static void bios(struct build *b)
{
	unsigned major = 0, minor = 0;
	bool uefi = false;

	if (b->s && b->s->value[BIOS_UEFI] && str_to_bool(b->s->value[BIOS_UEFI], &uefi))
		uefi = false;
	if (sscanf(value(b, BIOS_RELEASE, "0.0"), "%3u.%3u", &major, &minor) != 2)
		major = minor = 0;
	begin(b, 0, 0);
	text(b, value(b, BIOS_VENDOR, "Quern"));
	text(b, value(b, BIOS_VERSION, QUERN_VERSION));
	le(b, 0xe800, 2);
	/* Linux turns on what it expects of newer machines by this date: wake alarms by ACPI, host
	 * windows that ignore the memory map. */
	text(b, value(b, BIOS_DATE, "04/01/2014"));
	le(b, 0, 1);
	le(b, 8, 8); /* characteristics not supported */
	le(b, 0, 1);
	le(b, uefi ? 0x1c : 0x14, 1); /* virtual machine, targeted content distribution */
	le(b, major, 1);
	le(b, minor, 1);
	le(b, 0xffff, 2); /* no embedded controller */
	end(b);
}

static void system_info(struct build *b, const char *product)
{
	static const u8 order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	begin(b, 1, 0x100);
	text(b, value(b, SYS_MANUFACTURER, "QEMU"));
	text(b, value(b, SYS_PRODUCT, product));
	text(b, value(b, SYS_VERSION, "quern-" QUERN_VERSION));
	text(b, value(b, SYS_SERIAL, NULL));
	for (unsigned i = 0; i < 16; i++)
		le(b, b->s && b->s->has_uuid ? b->s->uuid[order[i]] : 0, 1);
	le(b, 6, 1); /* woken by the power switch */
	text(b, value(b, SYS_SKU, NULL));
	text(b, value(b, SYS_FAMILY, NULL));
	end(b);
}

static void baseboard(struct build *b, const char *product)
{
	if (!b->s || !b->s->given[2])
		return;
	begin(b, 2, 0x200);
	text(b, value(b, BOARD_MANUFACTURER, "QEMU"));
	text(b, value(b, BOARD_PRODUCT, product));
	text(b, value(b, BOARD_VERSION, "quern-" QUERN_VERSION));
	text(b, value(b, BOARD_SERIAL, NULL));
	text(b, value(b, BOARD_ASSET, NULL));
	le(b, 1, 1); /* hosting board */
	text(b, value(b, BOARD_LOCATION, NULL));
	le(b, 0x300, 2);
	le(b, 10, 1); /* motherboard */
	le(b, 0, 1);
	end(b);
}

static void chassis(struct build *b)
{
	begin(b, 3, 0x300);
	text(b, value(b, CHASSIS_MANUFACTURER, "QEMU"));
	le(b, 1, 1); /* other */
	text(b, value(b, CHASSIS_VERSION, "quern-" QUERN_VERSION));
	text(b, value(b, CHASSIS_SERIAL, NULL));
	text(b, value(b, CHASSIS_ASSET, NULL));
	le(b, 3, 1); /* boot-up, power supply, thermal: safe */
	le(b, 3, 1);
	le(b, 3, 1);
	le(b, 2, 1); /* security unknown */
	le(b, 0, 4);
	le(b, 0, 4); /* height, cords, contained elements */
	text(b, value(b, CHASSIS_SKU, NULL));
	end(b);
}

static void processor(struct build *b, const struct x86_board_info *info, u32 socket)
{
	u32 cores = MAX(info->dies, 1u) * MAX(info->cores, 1u),
	    threads = cores * MAX(info->threads, 1u);
	char name[64];

	snprintf(name, sizeof(name), "%s %u", value(b, CPU_PREFIX, "CPU"), socket);
	begin(b, 4, 0x400 + socket);
	text(b, name);
	le(b, 3, 1); /* central processor */
	le(b, 1, 1); /* family: other */
	text(b, value(b, CPU_MANUFACTURER, "QEMU"));
	le(b, 0, 8);
	text(b, value(b, CPU_VERSION, "quern-" QUERN_VERSION));
	le(b, 0, 1);
	le(b, 0, 2);
	le(b, number(b, CPU_MAX_SPEED, 2000), 2);
	le(b, number(b, CPU_SPEED, 2000), 2);
	le(b, 0x41, 1); /* populated, enabled */
	le(b, 1, 1);
	le(b, 0xffffffffffff, 6); /* no cache structures */
	text(b, value(b, CPU_SERIAL, NULL));
	text(b, value(b, CPU_ASSET, NULL));
	text(b, value(b, CPU_PART, NULL));
	le(b, MIN(cores, 255u), 1);
	le(b, MIN(cores, 255u), 1);
	le(b, MIN(threads, 255u), 1);
	le(b, 2, 2); /* characteristics unknown */
	le(b, 1, 2);
	if (b->t->v3) {
		le(b, cores, 2);
		le(b, cores, 2);
		le(b, threads, 2);
	}
	end(b);
}

static void oem_strings(struct build *b)
{
	if (!b->s || !b->s->oem.n)
		return;
	begin(b, 11, 0xe00);
	le(b, MIN(b->s->oem.n, (size_t)255), 1);
	for (size_t i = 0; i < MIN(b->s->oem.n, (size_t)255); i++) {
		strbuf_addn(&b->text, b->s->oem.at[i], strlen(b->s->oem.at[i]) + 1);
		b->strings++;
	}
	end(b);
}

static void dimm(struct build *b, unsigned i, u64 mib)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %u", value(b, DIMM_PREFIX, "DIMM"), i);
	begin(b, 17, 0x1100 + i);
	le(b, 0x1000, 2);
	le(b, 0xfffe, 2);
	le(b, 0xffffffff, 4);
	le(b, mib < 0x7fff ? mib : 0x7fff, 2);
	le(b, 9, 1); /* DIMM */
	le(b, 0, 1);
	text(b, name);
	text(b, value(b, DIMM_BANK, NULL));
	le(b, 7, 1); /* RAM */
	le(b, 2, 2);
	le(b, number(b, DIMM_SPEED, 0), 2);
	text(b, value(b, DIMM_MANUFACTURER, "QEMU"));
	text(b, value(b, DIMM_SERIAL, NULL));
	text(b, value(b, DIMM_ASSET, NULL));
	text(b, value(b, DIMM_PART, NULL));
	le(b, 0, 1);
	le(b, mib < 0x7fff ? 0 : mib, 4);
	le(b, number(b, DIMM_SPEED, 0), 2);
	le(b, 0, 6); /* voltages unknown */
	end(b);
}

static void mapped(struct build *b, unsigned i, u64 base, u64 size)
{
	u64 first = base >> 10, last = ((base + size) >> 10) - 1;
	bool wide = last >= 0xffffffff;

	if (!size)
		return;
	begin(b, 19, 0x1300 + i);
	le(b, wide ? 0xffffffff : first, 4);
	le(b, wide ? 0xffffffff : last, 4);
	le(b, 0x1000, 2);
	le(b, 1, 1);
	le(b, wide ? base : 0, 8);
	le(b, wide ? base + size - 1 : 0, 8);
	end(b);
}

static void memory(struct build *b, const struct x86_board_info *info)
{
	u64 total = (info->ram_low + info->ram_high) >> 20, each = 16384;
	unsigned n;

	/* At most 256 modules. */
	while (total / each >= 256)
		each *= 2;
	n = MAX((total + each - 1) / each, 1ull);
	begin(b, 16, 0x1000);
	le(b, 1, 1);
	le(b, 3, 1); /* system memory */
	le(b, 6, 1); /* multi-bit ECC */
	le(b, total < 0x200000 ? total << 10 : 0x80000000, 4);
	le(b, 0xfffe, 2);
	le(b, n, 2);
	le(b, total < 0x200000 ? 0 : total << 20, 8);
	end(b);
	for (unsigned i = 0; i < n; i++)
		dimm(b, i, MIN(each, total - i * each));
	mapped(b, 0, 0, info->ram_low);
	mapped(b, 1, BIT64(32), info->ram_high);
}

void smbios_build(struct smbios_tables *t, const struct smbios *s,
		  const struct x86_board_info *info, const char *machine)
{
	struct build b = { .t = t, .s = s };
	const char *product = !strcmp(machine, "pc")  ? "Standard PC (i440FX + PIIX, 1996)" :
			      !strcmp(machine, "q35") ? "Standard PC (Q35 + ICH9, 2009)" :
							machine;

	*t = (struct smbios_tables){ .v3 = s && s->v3 };
	bios(&b);
	system_info(&b, product);
	baseboard(&b, product);
	chassis(&b);
	for (u32 i = 0; i < MAX(info->sockets, 1u); i++)
		processor(&b, info, i);
	oem_strings(&b);
	memory(&b, info);
	for (size_t i = 0; s && i < s->file.n; i++) {
		strbuf_addn(&t->data, s->file.at[i].data, s->file.at[i].size);
		t->count++;
		t->largest = MAX(t->largest, (unsigned)s->file.at[i].size);
	}
	begin(&b, 32, 0x2000);
	le(&b, 0, 7); /* no errors detected */
	end(&b);
	begin(&b, 127, 0x7f00);
	end(&b);
}

/* 5.2 */
unsigned smbios_entry(const struct smbios_tables *t, u64 addr, u8 entry[SMBIOS_ENTRY_MAX])
{
	memset(entry, 0, SMBIOS_ENTRY_MAX);
	if (t->v3) {
		memcpy(entry, "_SM3_", 5);
		entry[6] = 24;
		entry[7] = 3;
		entry[10] = 1;
		st32le(entry + 12, t->data.n);
		st64le(entry + 16, addr);
		entry[5] = acpi_checksum(entry, 24);
		return 24;
	}
	memcpy(entry, "_SM_", 4);
	entry[5] = 31;
	entry[6] = 2;
	entry[7] = 8;
	st16le(entry + 8, t->largest);
	memcpy(entry + 16, "_DMI_", 5);
	st16le(entry + 22, t->data.n);
	st32le(entry + 24, addr);
	st16le(entry + 28, t->count);
	entry[30] = 0x28;
	entry[21] = acpi_checksum(entry + 16, 15);
	entry[4] = acpi_checksum(entry, 31);
	return 31;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smbios_test.c - -smbios texts are understood or refused with a sentence; the structures are
 * well-formed and hold what was asked for. */
#include "smbios.h"
#include "acpi_test_boards.h"
#include "lib/test.h"
#include <unistd.h>

static u8 sum(const u8 *p, size_t n)
{
	u8 s = 0;

	while (n--)
		s += p[n];
	return s;
}

/* Walks all structures, checking their form; returns the nth of that type, or NULL. */
static const u8 *find(const struct smbios_tables *t, u8 type, unsigned nth)
{
	const u8 *d = (u8 *)t->data.at, *found = NULL;
	size_t at = 0;
	unsigned count = 0;

	while (at < t->data.n) {
		size_t n = d[at + 1];

		CHECK(n >= 4 && at + n + 2 <= t->data.n);
		if (d[at] == type && !nth--)
			found = d + at;
		count++;
		for (at += n; d[at] || d[at + 1]; at++)
			CHECK(at + 2 < t->data.n);
		at += 2;
	}
	CHECK_EQ(at, t->data.n);
	CHECK_EQ(count, t->count);
	return found;
}

static const char *string(const u8 *s, unsigned at)
{
	const char *p = (const char *)s + s[1];

	if (!s[at])
		return "";
	for (unsigned i = 1; i < s[at]; i++)
		p += strlen(p) + 1;
	return p;
}

static void parse(struct smbios *s, const char *text)
{
	struct error e = { 0 };

	if (smbios_parse(s, text, &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
}

static void refused(const char *text, const char *part)
{
	struct smbios s = { 0 };
	struct error e = { 0 };

	CHECK(smbios_parse(&s, text, &e) < 0);
	if (!strstr(e.text, part))
		test_fail(__FILE__, __LINE__, "'%s' lacks '%s'", e.text, part);
	error_clear(&e);
	smbios_fini(&s);
}

TEST(smbios_tables)
{
	struct x86_board_info info = { 0 };
	struct smbios s = { 0 };
	struct smbios_tables t;
	struct error e = { 0 };
	u8 entry[SMBIOS_ENTRY_MAX];

	acpi_test_pc(&info);
	info.sockets = 2;
	info.ram_low = 0xc0000000;
	info.ram_high = 40ull << 30;
	parse(&s, "type=1,manufacturer=Acme,,Inc,product=Anvil,serial=007,family=heavy");
	parse(&s, "type=2,manufacturer=Board,asset=tag");
	parse(&s, "type=0,vendor=V,version=1.2,date=01/02/2003,release=4.5,uefi=on");
	parse(&s, "type=11,value=first,value=second");
	CHECK_EQ(smbios_set_uuid(&s, "00112233-4455-6677-8899-aabbccddeeff", &e), 0);
	smbios_build(&t, &s, &info, "pc");
	CHECK_STR(string(find(&t, 1, 0), 4), "Acme,Inc");
	CHECK_STR(string(find(&t, 1, 0), 5), "Anvil");
	CHECK_MEM(find(&t, 1, 0) + 8,
		  "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
	CHECK_STR(string(find(&t, 2, 0), 8), "tag");
	CHECK_STR(string(find(&t, 0, 0), 5), "1.2");
	CHECK_EQ(find(&t, 0, 0)[0x14], 4);
	CHECK_EQ(find(&t, 0, 0)[0x15], 5);
	CHECK_EQ(find(&t, 11, 0)[4], 2);
	CHECK(find(&t, 4, 1) && !find(&t, 4, 2));
	CHECK(find(&t, 17, 2) && !find(&t, 17, 3)); /* 43 GiB in modules of 16 */
	CHECK_EQ(ld16le(find(&t, 17, 2) + 12), 11264);
	CHECK(find(&t, 19, 1) && find(&t, 127, 0));
	CHECK_EQ(smbios_entry(&t, 0xf6000, entry), 31);
	CHECK_EQ(sum(entry, 31), 0);
	CHECK_EQ(sum(entry + 16, 15), 0);
	CHECK_EQ(ld16le(entry + 22), t.data.n);
	strbuf_fini(&t.data);

	s.v3 = true;
	smbios_build(&t, &s, &info, "q35");
	CHECK_EQ(find(&t, 4, 0)[1], 0x30);
	CHECK_EQ(smbios_entry(&t, 0xf6000, entry), 24);
	CHECK_EQ(sum(entry, 24), 0);
	CHECK_EQ(ld64le(entry + 16), 0xf6000);
	strbuf_fini(&t.data);
	smbios_fini(&s);

	smbios_build(&t, NULL, &info, "pc");
	CHECK(find(&t, 1, 0) && !find(&t, 2, 0) && !find(&t, 11, 0));
	strbuf_fini(&t.data);
	free(info.apic_id);
}

TEST(smbios_file)
{
	static const u8 one[] = { 200, 5, 1, 2, 7, 'x', 0, 0 };
	struct bytes b = { (u8 *)one, sizeof(one) };
	char path[] = "/tmp/quern-smbios-XXXXXX";
	AUTO_FREE char *text = NULL;
	struct x86_board_info info = { 0 };
	struct smbios s = { 0 };
	struct smbios_tables t;
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(bytes_write_file(&b, path, NULL), 0);
	text = xasprintf("file=%s", path);
	parse(&s, text);
	acpi_test_pc(&info);
	smbios_build(&t, &s, &info, "pc");
	CHECK_EQ(find(&t, 200, 0)[4], 7);
	strbuf_fini(&t.data);
	smbios_fini(&s);
	b.size = 7;
	CHECK_EQ(bytes_write_file(&b, path, NULL), 0);
	refused(text, "is no SMBIOS structure");
	unlink(path);
	refused(text, "No such file");
	free(info.apic_id);
}

TEST(smbios_refused)
{
	refused("", "needs type= or file=");
	refused("manufacturer=x", "give type= before");
	refused("type=5", "type=5 is not supported");
	refused("type=1,colour=red", "has no field 'colour'");
	refused("type=1,serial", "not of the form key=value");
	refused("type=0,release=1", "MAJOR.MINOR");
	refused("type=0,release=1.2x", "MAJOR.MINOR");
	refused("type=4,max-speed=100000", "up to 65535");
	refused("type=1,uuid=123", "failed to parse UUID string '123'");
	refused("type=1,uuid=00112233-4455-6677-8899-aabbccddeef", "failed to parse UUID");
	refused("type=1,uuid=00112233-4455-6677-8899-aabbccddeeff0", "failed to parse UUID");
}

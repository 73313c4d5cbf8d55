/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kofile.c - the host's ELF files of a kernel and its modules: unpacked where they are installed
 * compressed (CONFIG_MODULE_COMPRESS_*), and their sections (System V ABI, gABI chapter 4; files of
 * this byte order's guests only). */
#include "kofile.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <elf.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { UNPACKED_MAX = 256 << 20, FIRST = 1 << 16 };

/* ---- unpacking: false when it is corrupt or too large. All of `in` is one stream, or several. */

struct unpacked {
	u8 *data;
	size_t n, cap;
};

static bool more_room(struct unpacked *u)
{
	if (u->n < u->cap)
		return true;
	if (u->cap >= UNPACKED_MAX)
		return false;
	u->cap = u->cap ? u->cap * 2 : FIRST;
	u->data = xrealloc(u->data, u->cap);
	return true;
}

static bool unpack_xz(struct unpacked *u, const u8 *in, size_t n)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret ret = lzma_stream_decoder(&s, UNPACKED_MAX, LZMA_CONCATENATED);

	s.next_in = in;
	s.avail_in = n;
	while (ret == LZMA_OK && more_room(u)) {
		s.next_out = u->data + u->n;
		s.avail_out = u->cap - u->n;
		ret = lzma_code(&s, LZMA_FINISH);
		u->n = u->cap - s.avail_out;
	}
	lzma_end(&s);
	return ret == LZMA_STREAM_END;
}

static bool unpack_gz(struct unpacked *u, const u8 *in, size_t n)
{
	z_stream z = { .next_in = (Bytef *)in, .avail_in = n };
	int ret = inflateInit2(&z, 15 + 16);

	if (ret != Z_OK)
		return false;
	while (ret == Z_OK && more_room(u)) {
		z.next_out = u->data + u->n;
		z.avail_out = u->cap - u->n;
		ret = inflate(&z, Z_NO_FLUSH);
		u->n = u->cap - z.avail_out;
	}
	inflateEnd(&z);
	return ret == Z_STREAM_END;
}

static bool unpack_zst(struct unpacked *u, const u8 *in, size_t n)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer from = { in, n, 0 };
	size_t left = 1;

	while (z && left && !ZSTD_isError(left) && more_room(u)) {
		ZSTD_outBuffer to = { u->data, u->cap, u->n };
		size_t before = u->n;

		left = ZSTD_decompressStream(z, &to, &from);
		u->n = to.pos;
		if (left && from.pos == n && u->n == before)
			break; /* truncated */
	}
	ZSTD_freeDStream(z);
	return z && !left;
}

static const struct {
	const char *suffix;
	bool (*unpack)(struct unpacked *u, const u8 *in, size_t n);
} formats[] = {
	{ ".xz", unpack_xz },
	{ ".gz", unpack_gz },
	{ ".zst", unpack_zst },
};

bool kofile_name(const char *file, size_t *n)
{
	size_t len = strlen(file);

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (str_suffix(file, formats[i].suffix)) {
			len -= strlen(formats[i].suffix);
			break;
		}
	if (len <= 3 || memcmp(file + len - 3, ".ko", 3))
		return false;
	*n = len - 3;
	return true;
}

bool kofile_packed(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (str_suffix(path, formats[i].suffix))
			return true;
	return false;
}

/* ---- reading */

bool kofile_read(struct kofile *k, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct unpacked u = { 0 };
	struct stat st;
	void *map = MAP_FAILED;
	bool ok = true;

	*k = (struct kofile){ 0 };
	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	k->data = map;
	k->size = st.st_size;
	k->mapped = true;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!str_suffix(path, formats[i].suffix))
			continue;
		ok = formats[i].unpack(&u, k->data, k->size);
		kofile_fini(k);
		*k = (struct kofile){ .data = u.data, .size = u.n };
		break;
	}
	if (!ok)
		kofile_fini(k);
	return ok;
}

void kofile_fini(struct kofile *k)
{
	if (k->mapped)
		munmap((void *)k->data, k->size);
	else
		free((void *)k->data);
	*k = (struct kofile){ 0 };
}

/* ---- sections */

bool kofile_section(const struct kofile *k, unsigned i, struct kosection *s)
{
	const u8 *p = k->data + k->shoff + (u64)i * k->shentsize;
	u32 name = ld32le(p);

	s->type = ld32le(p + 4);
	s->flags = k->wide ? ld64le(p + 8) : ld32le(p + 8);
	s->addr = k->wide ? ld64le(p + 16) : ld32le(p + 12);
	s->offset = k->wide ? ld64le(p + 24) : ld32le(p + 16);
	s->size = k->wide ? ld64le(p + 32) : ld32le(p + 20);
	s->name = "";
	if (k->names && name < k->names_size && memchr(k->names + name, 0, k->names_size - name))
		s->name = k->names + name;
	return s->type == SHT_NOBITS || range_fits(s->offset, s->size, k->size);
}

bool kofile_open(struct kofile *k, const char *path)
{
	struct kosection s;
	const u8 *p;
	unsigned strings;

	if (!kofile_read(k, path))
		return false;
	p = k->data;
	if (k->size < 64 || memcmp(p, ELFMAG, SELFMAG) || p[EI_DATA] != ELFDATA2LSB)
		goto bad;
	k->wide = p[EI_CLASS] == ELFCLASS64;
	k->shoff = k->wide ? ld64le(p + 40) : ld32le(p + 32);
	k->shentsize = ld16le(p + (k->wide ? 58 : 46));
	k->shnum = ld16le(p + (k->wide ? 60 : 48));
	strings = ld16le(p + (k->wide ? 62 : 50));
	if (k->shentsize < (k->wide ? 64 : 40) ||
	    !range_fits(k->shoff, (u64)k->shnum * k->shentsize, k->size))
		goto bad;
	if (strings < k->shnum && kofile_section(k, strings, &s) && s.type == SHT_STRTAB) {
		k->names = (const char *)p + s.offset;
		k->names_size = s.size;
	}
	return true;
bad:
	kofile_fini(k);
	return false;
}

bool kofile_has_lines(const struct kofile *k)
{
	struct kosection s;

	for (unsigned i = 0; i < k->shnum; i++)
		if (kofile_section(k, i, &s) &&
		    (str_eq(s.name, ".debug_info") || str_eq(s.name, ".zdebug_info")))
			return true;
	return false;
}

bool kofile_matches(const struct kofile *k, const char *build_id)
{
	struct kosection s;
	char text[41];

	for (unsigned i = 0; *build_id && i < k->shnum; i++) {
		if (!kofile_section(k, i, &s) || s.type != SHT_NOTE ||
		    !str_eq(s.name, ".note.gnu.build-id") || s.size < 16 + 8)
			continue;
		for (unsigned b = 0; b < 20 && 16 + b < s.size; b++)
			snprintf(text + 2 * b, 3, "%02x", k->data[s.offset + 16 + b]);
		return str_eq(text, build_id);
	}
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bytes.c - whole files into memory, with a limit and a sentence for every way it can fail. */
#include "lib/bytes.h"
#include "lib/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_large(struct error *e, const char *name, u64 limit)
{
	return error_ret(e, -EFBIG, "'%s' is larger than the limit of %llu bytes", name,
			 (unsigned long long)limit);
}

/* The first capacity to try: the file's size plus one, so that its end is seen without growing. */
static size_t first_capacity(const struct stat *st, u64 limit)
{
	u64 want = S_ISREG(st->st_mode) && st->st_size > 0 ? (u64)st->st_size : 65536;

	return MIN(want, limit) + 1;
}

int bytes_read_fd(struct bytes *b, int fd, const char *name, u64 limit, struct error *e)
{
	struct stat st;
	size_t n = 0, cap;
	u8 *data = NULL;
	int err;

	*b = (struct bytes){ 0 };
	if (limit > SIZE_MAX / 4)
		limit = SIZE_MAX / 4;
	if (fstat(fd, &st) < 0)
		return error_ret(e, -errno, "could not read '%s': %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error_ret(e, -EISDIR, "could not read '%s': it is a directory", name);
	if (S_ISREG(st.st_mode) && st.st_size > 0 && (u64)st.st_size > limit)
		return too_large(e, name, limit);

	for (cap = first_capacity(&st, limit);; cap *= 2) {
		u8 *bigger = realloc(data, cap);
		ssize_t got = 1;

		if (!bigger) {
			free(data);
			return error_ret(e, -ENOMEM, "could not read '%s': no memory for %zu bytes",
					 name, cap);
		}
		data = bigger;
		while (n < cap && got) {
			got = read(fd, data + n, cap - n);
			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0) {
				err = -errno;
				free(data);
				return error_ret(e, err, "could not read '%s': %s", name,
						 strerror(-err));
			}
			n += got;
		}
		if (n > limit) {
			free(data);
			return too_large(e, name, limit);
		}
		if (!got)
			break;
	}
	b->data = data;
	b->size = n;
	return 0;
}

int bytes_read_file(struct bytes *b, const char *path, u64 limit, struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	*b = (struct bytes){ 0 };
	if (fd < 0)
		return error_ret(e, -errno, "could not open '%s': %s", path, strerror(errno));
	err = bytes_read_fd(b, fd, path, limit, e);
	close(fd);
	return err;
}

int bytes_write_file(const struct bytes *b, const char *path, struct error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), err = 0;
	size_t n = 0;

	if (fd < 0)
		return error_ret(e, -errno, "could not create '%s': %s", path, strerror(errno));
	while (n < b->size) {
		ssize_t put = write(fd, b->data + n, b->size - n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			err = -errno;
			break;
		}
		n += put;
	}
	if (close(fd) < 0 && !err)
		err = -errno;
	if (err)
		return error_ret(e, err, "could not write '%s': %s", path, strerror(-err));
	return 0;
}

void bytes_fini(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

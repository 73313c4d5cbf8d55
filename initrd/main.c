/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the subcommand `quern initramfs`: the options of the kernel's gen_init_cpio and Quern's
 * own. */
#include "initrd/initrd.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

struct request {
	struct initrd_opts o;
	const char *output;
	bool compression_given;
};

static void usage(FILE *to, const char *name)
{
	fprintf(to,
		"Usage: quern %s [OPTION]... DESCRIPTION|DIRECTORY|-\n"
		"Builds an initramfs (cpio newc archive) from a gen_init_cpio description or a "
		"directory.\n"
		"\n"
		"  -o FILE         write to FILE (mode 0600), not to standard output\n"
		"  -t SECONDS      the modification time of everything, in seconds since 1970\n"
		"  -c              write checksums of the file data (magic 070702)\n"
		"  -a ALIGN        align the data of files larger than ALIGN, a multiple of 4\n"
		"  -z FORMAT       compress: gzip, bzip2, lzma, xz, lzo, lz4, zstd, none\n"
		"                  (default: by FILE's suffix .gz .bz2 .lzma .xz .lzo .lz4 .zst)\n"
		"  --closure       add interpreter and shared libraries of every program\n"
		"  --sysroot DIR   look interpreters and libraries up below DIR\n"
		"  --quote         fields may be \"quoted\" and have \\ escapes\n"
		"  --keep-owner    directories: do not turn your own files into root's\n"
		"  -h, --help      this text\n"
		"\n"
		"Lines of a description:\n"
		"  file NAME LOCATION MODE UID GID [LINK...]    ${VAR} in LOCATION is expanded\n"
		"  dir NAME MODE UID GID\n"
		"  nod NAME MODE UID GID b|c MAJOR MINOR\n"
		"  slink NAME TARGET MODE UID GID\n"
		"  pipe NAME MODE UID GID\n"
		"  sock NAME MODE UID GID\n"
		"  prog NAME LOCATION MODE UID GID [LINK...]    a file, with the libraries that it "
		"needs\n"
		"  tree HOSTDIR [PREFIX]                        everything below a directory\n"
		"  quote on|off                                 as --quote, from here on\n"
		"  # a comment\n",
		name);
}

static int parse_option(struct request *r, int opt, const char *arg, struct error *e)
{
	switch (opt) {
	case 'o':
		r->output = arg;
		return 0;
	case 't':
		r->o.has_mtime = true;
		if (str_to_s64(arg, 10, &r->o.mtime))
			return error_ret(e, -EINVAL,
					 "invalid timestamp '%s': seconds since 1970 are expected",
					 arg);
		if (r->o.mtime < 0 || r->o.mtime > UINT32_MAX)
			return error_ret(e, -ERANGE,
					 "timestamp %lld is not between 0 and 4294967295",
					 (long long)r->o.mtime);
		return 0;
	case 'c':
		r->o.csum = true;
		return 0;
	case 'a':
		if (str_to_u32(arg, 10, &r->o.align) || !r->o.align || r->o.align % 4)
			return error_ret(e, -EINVAL,
					 "invalid alignment '%s': a multiple of 4 is expected",
					 arg);
		return 0;
	case 'z':
		r->compression_given = true;
		return initrd_compression_parse(arg, &r->o.compression, e);
	case 'C':
		r->o.closure = true;
		return 0;
	case 'S':
		r->o.sysroot = arg;
		if (access(arg, R_OK | X_OK))
			return error_ret(e, -errno, "sysroot '%s': %s", arg, strerror(errno));
		return 0;
	case 'Q':
		r->o.quote = true;
		return 0;
	default:
		r->o.keep_owner = true;
		return 0;
	}
}

static int write_out(const struct request *r, const struct bytes *b, struct error *e)
{
	const char *name = r->output ? r->output : "standard output";
	int fd = STDOUT_FILENO, err = 0;

	if (r->output)
		fd = open(r->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_ret(e, -errno, "could not create '%s': %s", name, strerror(errno));
	for (size_t n = 0; n < b->size && !err;) {
		ssize_t put = write(fd, b->data + n, b->size - n);

		if (put >= 0)
			n += put;
		else if (errno != EINTR)
			err = -errno;
	}
	if (r->output && close(fd) < 0 && !err)
		err = -errno;
	return err ? error_ret(e, err, "could not write '%s': %s", name, strerror(-err)) : 0;
}

/* An error of use, or a description that cannot be read, ends with 1, a mistake in the description
 * or its files with 255, as the kernel's tool does. */
int initramfs_main(int argc, char **argv)
{
	static const struct option longs[] = { { "closure", no_argument, NULL, 'C' },
					       { "sysroot", required_argument, NULL, 'S' },
					       { "quote", no_argument, NULL, 'Q' },
					       { "keep-owner", no_argument, NULL, 'K' },
					       { "output", required_argument, NULL, 'o' },
					       { "compress", required_argument, NULL, 'z' },
					       { "help", no_argument, NULL, 'h' },
					       {} };
	struct request r = { 0 };
	struct error e = { 0 };
	struct bytes b;
	int opt, err;

	optind = 0; /* glibc: start over, whatever was parsed before */
	while ((opt = getopt_long(argc, argv, "o:t:ca:z:h", longs, NULL)) != -1) {
		if (opt == 'h' || opt == '?') {
			usage(opt == 'h' ? stdout : stderr, argv[0]);
			return opt == '?';
		}
		if (parse_option(&r, opt, optarg, &e)) {
			error_print(&e);
			return 1;
		}
	}
	if (optind + 1 != argc) {
		usage(stderr, argv[0]);
		return 1;
	}
	if (!r.compression_given && r.output)
		r.o.compression = initrd_compression_of(r.output);
	if (!r.output && isatty(STDOUT_FILENO)) {
		error_set(&e, "an archive is not for a terminal: use -o FILE");
		error_print(&e);
		return 1;
	}
	if (!str_eq(argv[optind], "-") && access(argv[optind], R_OK) < 0) {
		error_set(&e, "could not open '%s': %s", argv[optind], strerror(errno));
		error_print(&e);
		return 1;
	}
	err = initrd_build(&b, argv[optind], &r.o, &e);
	err = err ? err : write_out(&r, &b, &e);
	bytes_fini(&b);
	error_print(&e);
	return err ? 255 : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - the program: who it was started as, subcommands, options, a machine. */
#include "cli/doc.h"
#include "cli/options.h"
#include "cli/run.h"
#include "initrd/initrd.h"
#include "lib/str.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int machine_main(struct settings *s, int argc, char **argv)
{
	struct error e = { 0 };
	int err = options_parse(s, argc, argv, &e);

	if (err == OPTION_DONE)
		return fflush(stdout) || ferror(stdout) ? 1 : 0;
	if (!err)
		err = options_finish(s, &e);
	if (err) {
		error_print(&e);
		return 1;
	}
	return run(s);
}

/* A standard stream that was closed by whoever started us must not become some other file of ours.
 */
static void open_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) < 0)
			_exit(1);
}

int main(int argc, char **argv)
{
	struct settings s;
	int status;

	open_standard_streams();
	settings_init(&s, argv[0]);
	error_program(s.program);
	if (s.native && argc > 1 && str_eq(argv[1], "initramfs"))
		return initramfs_main(argc - 1, argv + 1);
	if (s.native && argc > 1 && str_eq(argv[1], "doc"))
		return doc_main(argc - 1, argv + 1);
	if (s.native && argc > 1 && str_eq(argv[1], "--cflags"))
		return cflags_main();
	status = machine_main(&s, argc, argv);
	settings_fini(&s);
	return status;
}

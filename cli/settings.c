/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.c - the settings before any option, by the name under which the program was started. */
#include "cli/settings.h"
#include "lib/str.h"

/* qemu-system-ARCH: whose machines are meant. */
static const struct personality {
	const char *program, *isa, *cpu;
	const char *registers; /* as debuggers see them */
} personalities[] = { { "qemu-system-x86_64", "x86_64", NULL, "x86_64" },
		      { "qemu-system-i386", "x86_64", "qemu32", "i386" },
		      {} };

void settings_init(struct settings *s, const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

	*s = (struct settings){
		.program = slash ? slash + 1 :
			   argv0 ? argv0 :
				   "quern",
		.isa = "x86_64",
		.native = true,
		.escape = 1,
		.boot_splash_ms = -1,
		.boot_reboot_ms = -1,
		.actions = { ACTION_RESET, ACTION_POWEROFF, ACTION_SHUTDOWN, ACTION_RESET },
	};
	for (const struct personality *p = personalities; p->program; p++) {
		if (str_eq(p->program, s->program)) {
			s->isa = p->isa;
			s->default_cpu = p->cpu;
			s->registers = p->registers;
			s->native = false;
		}
	}
	if (s->native)
		s->program = "quern";
}

static void free_texts(struct texts *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->at[i]);
	vec_free(t);
}

static void free_keyvals(struct keyvals_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		keyvals_fini(&l->at[i]);
	vec_free(l);
}

void settings_fini(struct settings *s)
{
	char *const texts[] = { s->kernel,	 s->initrd,	s->append,  s->dtb,
				s->bios,	 s->boot_order, s->cpu,	    s->name,
				s->process_name, s->incoming,	s->pidfile, s->vmlinux,
				s->log_file,	 s->trace_file, s->uuid,    s->mem_path,
				s->qtest,	 s->qtest_log };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	free_texts(&s->firmware_dirs);
	free_texts(&s->fw_cfg);
	free_texts(&s->smbios);
	free_texts(&s->serial);
	free_texts(&s->debuggers);
	free_texts(&s->traces);
	free_texts(&s->faults);
	keyvals_fini(&s->machine);
	free_keyvals(&s->accels);
	free_keyvals(&s->devices);
	free_keyvals(&s->numa);
	free_keyvals(&s->globals);
	free_keyvals(&s->objects);
	free_keyvals(&s->netdevs);
	free_keyvals(&s->nics);
	free_keyvals(&s->drives);
	free_keyvals(&s->blockdevs);
	free_keyvals(&s->chardevs);
	free_keyvals(&s->mons);
	*s = (struct settings){ 0 };
}

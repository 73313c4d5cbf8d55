/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.c - the filters of sandbox.h, by libseccomp (seccomp(2)). */
#include "host/sandbox.h"
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

/* Those that an architecture lacks are not there to be called. */
static const int always[] = {
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(syslog),
	SCMP_SYS(mount),
	SCMP_SYS(umount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(move_mount),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(acct),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(clock_adjtime),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(quotactl),
	SCMP_SYS(nfsservctl),
	SCMP_SYS(afs_syscall),
	SCMP_SYS(lock),
	SCMP_SYS(security),
	SCMP_SYS(tuxcall),
	SCMP_SYS(vserver),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
};
static const int obsolete[] = {
	SCMP_SYS(readdir),	 SCMP_SYS(_sysctl),	    SCMP_SYS(bdflush),
	SCMP_SYS(create_module), SCMP_SYS(get_kernel_syms), SCMP_SYS(query_module),
	SCMP_SYS(sgetmask),	 SCMP_SYS(ssetmask),	    SCMP_SYS(sysfs),
	SCMP_SYS(uselib),	 SCMP_SYS(ustat),
};
static const int privileges[] = {
	SCMP_SYS(setuid),   SCMP_SYS(setgid),	SCMP_SYS(setpgid),   SCMP_SYS(setsid),
	SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
	SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(setgroups),
};
static const int spawn[] = {
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
};
static const int resources[] = {
	SCMP_SYS(setpriority),	 SCMP_SYS(sched_setparam),    SCMP_SYS(sched_setscheduler),
	SCMP_SYS(sched_setattr), SCMP_SYS(sched_setaffinity), SCMP_SYS(ioprio_set),
};

static int forbid(scmp_filter_ctx ctx, bool on, const int *calls, size_t n)
{
	for (size_t i = 0; on && i < n; i++) {
		int err = calls[i] < 0 ? 0 :
					 seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, calls[i], 0);

		if (err)
			return err;
	}
	return 0;
}

/* clone makes threads, too: only without CLONE_THREAD it makes a process. The flags of clone3 lie
 * in memory, where no filter sees them: it is absent, and the C library takes clone. */
static int forbid_processes(scmp_filter_ctx ctx)
{
	int err = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
				   SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));

	return err ? err : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

int sandbox_enter(const struct sandbox *s, struct error *e)
{
	scmp_filter_ctx ctx;
	int err;

	if (!s->on)
		return 0;
	if (s->children && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_ret(e, -errno, "-sandbox: no_new_privs: %s", strerror(errno));
	ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (!ctx)
		return error_ret(e, -ENOMEM, "-sandbox: no memory for a filter");
	err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = forbid(ctx, true, always, ARRAY_SIZE(always));
	if (!err)
		err = forbid(ctx, s->obsolete, obsolete, ARRAY_SIZE(obsolete));
	if (!err)
		err = forbid(ctx, s->privileges, privileges, ARRAY_SIZE(privileges));
	if (!err)
		err = forbid(ctx, s->spawn, spawn, ARRAY_SIZE(spawn));
	if (!err && s->spawn)
		err = forbid_processes(ctx);
	if (!err)
		err = forbid(ctx, s->resources, resources, ARRAY_SIZE(resources));
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	if (err)
		return error_ret(e, err, "-sandbox: the host's kernel refuses the filter: %s",
				 strerror(-err));
	return 0;
}

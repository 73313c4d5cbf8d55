/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpuid.c - identification: what -cpu asks for, and the CPUID leaves. Intel SDM volume 2 CPUID, AMD
 * APM volume 3 appendix E; the hypervisor leaves 0x4000_0000.. as KVM documents them (clock and
 * no-op port delay only), 0x4000_0010 as the VMware interface does. */
#include "system.h"
#include "core/machine.h"
#include "lib/alloc.h"
#include "lib/str.h"
#include <errno.h>
#include <stdio.h>

static const struct feat {
	const char *name, *alias;
	u16 id;
	bool have;
} feats[] = {
#define FEAT(id_, word, bit, name_, alias_, have_) { name_, alias_, X86F_##id_, have_ },
#include "cpuid.def"
#undef FEAT
};

bool x86_has(const struct x86_cpu *c, unsigned f) { return c->feat[f >> 6] >> (f & 63) & 1; }

void x86_feat_set(struct x86_cpu *c, unsigned f, bool on)
{
	u64 bit = BIT64(f & 63);

	c->feat[f >> 6] = on ? c->feat[f >> 6] | bit : c->feat[f >> 6] & ~bit;
}

/* --- the -cpu argument */

/* Names are compared with '_' as '-'; n: length of a. */
static bool same_name(const char *a, size_t n, const char *b)
{
	if (!b || strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((a[i] == '_' ? '-' : a[i]) != (b[i] == '_' ? '-' : b[i]))
			return false;
	return true;
}

static const struct feat *find_feat(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(feats); i++)
		if (same_name(name, n, feats[i].name) || same_name(name, n, feats[i].alias))
			return &feats[i];
	return NULL;
}

static void model_features(struct x86_cpu *c, const char *s)
{
	while (*s) {
		size_t n = strcspn(s, " ");
		bool on = *s != '-';
		const struct feat *f;

		if (n == 3 && !strncmp(s, "all", 3)) {
			for (size_t i = 0; i < ARRAY_SIZE(feats); i++)
				x86_feat_set(c, feats[i].id, feats[i].have);
		} else if (n) {
			f = find_feat(s + !on, n - !on);
			if (f && f->have)
				x86_feat_set(c, f->id, on);
		}
		s += n;
		s += strspn(s, " ");
	}
}

/* -IBRS, -noTSX, -v3...: variants that differ in what Quern does not have. */
static bool model_suffix(const char *s)
{
	static const char *const known[] = { "-IBRS", "-noTSX", "-IBPB" };

	while (*s) {
		size_t n = 0;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (!strncmp(s, known[i], strlen(known[i])))
				n = strlen(known[i]);
		if (!n && s[0] == '-' && s[1] == 'v' && strspn(s + 2, "0123456789"))
			n = 2 + strspn(s + 2, "0123456789");
		if (!n)
			return false;
		s += n;
	}
	return true;
}

static const struct x86_model *find_model(const char *name)
{
	const char *rest;

	for (const struct x86_model *m = x86_models; m->name; m++)
		if (str_prefix(name, m->name, &rest) && model_suffix(rest))
			return m;
	return NULL;
}

struct parse {
	struct x86_cpu *c;
	struct x86_cpuid *id;
	struct error *e;
	bool enforce, missing, quiet /* the first CPU has said it */;
};

static int set_number(struct parse *p, const char *key, const char *val, u64 max, u32 *out)
{
	u64 v;

	if (str_to_u64(val, 0, &v) || v > max)
		return error_ret(p->e, -EINVAL, "-cpu %s=%s: not a number up to %llu", key, val,
				 (unsigned long long)max);
	*out = v;
	return 0;
}

static int set_frequency(struct parse *p, const char *val)
{
	struct error e = { 0 };
	u64 hz, unit = 1;
	size_t n = strlen(val);
	AUTO_FREE char *digits = xstrdup(val);

	error_clear(&e);
	if (n && strchr("kKmMgG", val[n - 1])) {
		unit = val[n - 1] == 'k' || val[n - 1] == 'K' ? 1000 :
		       val[n - 1] == 'm' || val[n - 1] == 'M' ? 1000000 :
								1000000000;
		digits[n - 1] = 0;
	}
	if (str_to_u64(digits, 0, &hz) || mul_overflow(hz, unit, &hz) || hz < 1000000 ||
	    hz > 100000000000ull)
		return error_ret(p->e, -EINVAL,
				 "-cpu tsc-frequency=%s: not a frequency from 1M to 100G", val);
	p->id->tsc_hz = hz;
	return 0;
}

static void set_feature(struct parse *p, const struct feat *f, bool on)
{
	if (on && !f->have) {
		if (!p->quiet)
			warn("-cpu +%s: Quern does not execute this feature; it is left out",
			     f->name);
		p->missing = true;
		return;
	}
	x86_feat_set(p->c, f->id, on);
}

/* Properties that are not features. 1: not one of them. */
static int set_property(struct parse *p, const char *key, const char *val)
{
	static const char *const accepted[] = { "migratable",
						"host-phys-bits",
						"host-phys-bits-limit",
						"vmware-cpuid-freq",
						"l3-cache",
						"legacy-cache",
						"min-level",
						"min-xlevel",
						"full-cpuid-auto-level",
						"fill-mtrr-mask",
						"check",
						"host-cache-info",
						"kvm-no-smi-migration",
						"tcg-cpuid",
						"lmce",
						"start-powered-off",
						"memory",
						"legacy-instance-id",
						"topoext",
						"mpx" };
	struct x86_cpuid *id = p->id;
	u32 n = 0;
	bool b;

	if (str_eq(key, "vendor")) {
		if (strlen(val) != 12)
			return error_ret(p->e, -EINVAL, "-cpu vendor=%s: must have 12 characters",
					 val);
		memcpy(id->vendor, val, 13);
		return 0;
	}
	if (str_eq(key, "model-id")) {
		if (strlen(val) > 48)
			return error_ret(p->e, -EINVAL, "-cpu model-id=%s: at most 48 characters",
					 val);
		memset(id->name, 0, sizeof(id->name));
		memcpy(id->name, val, strlen(val));
		return 0;
	}
	if (str_eq(key, "family"))
		return set_number(p, key, val, 0xff + 15, &id->family);
	if (str_eq(key, "model"))
		return set_number(p, key, val, 0xff, &id->modelno);
	if (str_eq(key, "stepping"))
		return set_number(p, key, val, 15, &id->stepping);
	if (str_eq(key, "level"))
		return set_number(p, key, val, 0xffff, &id->level);
	if (str_eq(key, "xlevel"))
		return set_number(p, key, val, 0x8000ffff, &id->xlevel);
	if (str_eq(key, "dies"))
		return set_number(p, key, val, 256, &id->dies);
	if (str_eq(key, "cores"))
		return set_number(p, key, val, 4096, &id->cores);
	if (str_eq(key, "threads"))
		return set_number(p, key, val, 256, &id->threads);
	if (str_eq(key, "apic-id")) {
		id->own_apic_id = true;
		return set_number(p, key, val, 0xffff, &p->c->apic_id);
	}
	if (str_eq(key, "phys-bits")) {
		if (set_number(p, key, val, 52, &n) || n < 32)
			return error_ret(p->e, -EINVAL, "-cpu phys-bits=%s: must be 32 to 52", val);
		id->phys_bits = n;
		return 0;
	}
	if (str_eq(key, "tsc-frequency") || str_eq(key, "tsc-freq"))
		return set_frequency(p, val);
	if (str_eq(key, "enforce") || str_eq(key, "kvm")) {
		if (str_to_bool(val, &b))
			return error_ret(p->e, -EINVAL, "-cpu %s=%s: must be on or off", key, val);
		if (key[0] == 'e')
			p->enforce = b;
		else
			id->kvm = b;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
		if (same_name(key, strlen(key), accepted[i]))
			return 0;
	return 1;
}

/* One item behind the model's name. */
static int set_item(struct parse *p, char *item)
{
	const struct feat *f;
	char *val = strchr(item, '=');
	bool on;
	int r;

	if (!*item)
		return 0;
	if ((item[0] == '+' || item[0] == '-') && !val) {
		f = find_feat(item + 1, strlen(item + 1));
		if (f)
			set_feature(p, f, item[0] == '+');
		else if (item[0] == '+' || !str_glob("avx*", item + 1)) {
			if (!p->quiet)
				warn("-cpu %s: unknown feature", item);
			p->missing |= item[0] == '+';
		}
		return 0;
	}
	if (val)
		*val++ = 0;
	f = find_feat(item, strlen(item));
	if (f) {
		if (val && str_to_bool(val, &on))
			return error_ret(p->e, -EINVAL, "-cpu %s=%s: must be on or off", item, val);
		set_feature(p, f, val ? on : true);
		return 0;
	}
	r = set_property(p, item, val ? val : "on");
	if (r == 1 && !p->quiet)
		warn("-cpu %s%s%s: unknown feature or property", item, val ? "=" : "",
		     val ? val : "");
	return r < 0 ? r : 0;
}

static void finish(struct x86_cpu *c, struct x86_cpuid *id)
{
	if (!x86_has(c, X86F_XSAVE)) {
		x86_feat_set(c, X86F_XSAVEOPT, false);
		x86_feat_set(c, X86F_XSAVEC, false);
		x86_feat_set(c, X86F_XGETBV1, false);
	}
	id->amd = str_eq(id->vendor, "AuthenticAMD") || str_eq(id->vendor, "HygonGenuine");
	id->hypervisor = x86_has(c, X86F_HYPERVISOR);
	if (!x86_has(c, X86F_TSC))
		id->kvm = false;
	/* leaf 0x15 tells Linux the frequency only on this vendor's processors */
	if (strcmp(id->vendor, INTEL_VENDOR) || id->level < 0x15) {
		x86_feat_set(c, X86F_KVM_CLOCK2, true);
		x86_feat_set(c, X86F_KVM_STABLE, true);
	}
	if (id->level < 7 && (x86_feat_word(c, FW_7_EBX) || x86_feat_word(c, FW_7_ECX) ||
			      x86_feat_word(c, FW_7_EDX)))
		id->level = 7;
	if (id->level < 13 && x86_has(c, X86F_XSAVE))
		id->level = 13;
	if (x86_has(c, X86F_LM) && id->xlevel < 0x80000008)
		id->xlevel = 0x80000008;
	if (id->xlevel && id->xlevel < 0x80000021 && x86_feat_word(c, FW_821_EAX))
		id->xlevel = 0x80000021;
	if (!id->phys_bits)
		id->phys_bits = x86_has(c, X86F_LM)			       ? 40 :
				x86_has(c, X86F_PAE) || x86_has(c, X86F_PSE36) ? 36 :
										 32;
	if (id->dies > 1)
		id->level = MAX(id->level, 0x1fu);
	id->virt_bits = x86_has(c, X86F_LM) ? 48 : 32;
	c->phys_mask = GENMASK64(id->phys_bits - 1, 0);
	c->tsc_hz = id->tsc_hz ? id->tsc_hz : 1000000000;
}

int x86_cpuid_init(struct x86_cpu *c, const char *model, struct error *e)
{
	AUTO_FREE char *text = xstrdup(model && *model			? model :
				       str_eq(c->cpu.isa->name, "i386") ? "qemu32" :
									  "qemu64");
	struct x86_cpuid *id = NEW(struct x86_cpuid);
	struct parse p = { .c = c, .id = id, .e = e, .quiet = c->cpu.index != 0 };
	char *rest = text, *item = strsep(&rest, ",");
	const struct x86_model *m = find_model(item);
	int r = 0;

	free(c->id);
	c->id = id;
	if (str_eq(item, "host"))
		return error_ret(e, -EINVAL,
				 "CPU model 'host' needs hardware virtualisation: use -cpu max");
	if (!m)
		return error_ret(e, -EINVAL, "unable to find CPU model '%s': see -cpu help", item);
	id->model = m;
	memcpy(id->vendor, m->vendor, 13);
	memcpy(id->name, m->brand, strlen(m->brand));
	id->family = m->family;
	id->modelno = m->model;
	id->stepping = m->stepping;
	id->level = m->level;
	id->xlevel = m->xlevel;
	id->kvm = true;
	memset(c->feat, 0, sizeof(c->feat));
	model_features(c, m->has);
	while (!r && (item = strsep(&rest, ",")))
		r = set_item(&p, item);
	if (r)
		return r;
	if (p.enforce && p.missing)
		return error_ret(e, -EINVAL,
				 "-cpu enforce: Quern does not have all the features asked for");
	finish(c, id);
	return 0;
}

void x86_cpuid_help(void (*line)(void *arg, const char *text), void *arg)
{
	char buf[160];

	line(arg, "Available CPUs:");
	for (const struct x86_model *m = x86_models; m->name; m++) {
		snprintf(buf, sizeof(buf), "x86 %-20s %s", m->name, m->brand);
		line(arg, buf);
	}
	line(arg, "");
	line(arg, "Recognized CPUID flags (* = not executed by Quern):");
	for (size_t i = 0; i < ARRAY_SIZE(feats); i++) {
		snprintf(buf, sizeof(buf), "  %s%s", feats[i].name, feats[i].have ? "" : " *");
		line(arg, buf);
	}
}

/* --- the leaves */

u32 x86_signature(const struct x86_cpu *c)
{
	const struct x86_cpuid *id = c->id;
	u32 f = id->family, m = id->modelno;

	return id->stepping | (m & 15) << 4 | (f > 15 ? 15 : f) << 8 | (m >> 4) << 16 |
	       (f > 15 ? f - 15 : 0) << 20;
}

struct topology {
	u32 dies, cores, threads; /* one inside the other */
	/* the first bit of the core, of the die and of the package in an APIC ID */
	unsigned core, die, package;
};

static unsigned bits_for(u32 n)
{
	unsigned b = 0;

	while (n > 1u << b)
		b++;
	return b;
}

static struct topology topology(const struct x86_cpu *c)
{
	const struct x86_cpuid *id = c->id;
	struct topology t = { MAX(id->dies, 1u), id->cores, MAX(id->threads, 1u) };

	if (!t.cores)
		t.cores = MAX((c->cpu.machine ? c->cpu.machine->ncpus : 1) / t.threads, 1u);
	t.core = bits_for(t.threads);
	t.die = t.core + bits_for(t.cores);
	t.package = t.die + bits_for(t.dies);
	return t;
}

u32 x86_apic_id(const struct x86_cpu *c)
{
	const struct topology t = topology(c);
	u32 i = c->cpu.index;

	/* one package: those that are made later do not change its size */
	if (!c->id->cores)
		return i;
	return i % t.threads | i / t.threads % t.cores << t.core |
	       i / t.threads / t.cores % t.dies << t.die |
	       i / t.threads / t.cores / t.dies << t.package;
}

static bool has_local_apic(const struct x86_cpu *c) { return c->cpu.intc && c->cpu.intc->wrmsr; }

static void leaf1(struct x86_cpu *c, u32 out[4])
{
	const struct topology t = topology(c);

	out[0] = x86_signature(c);
	out[1] = (c->apic_id & 0xff) << 24 | MIN(1u << t.package, 255u) << 16 | 8 << 8;
	out[2] = x86_feat_word(c, FW_1_ECX);
	out[3] = x86_feat_word(c, FW_1_EDX);
	if (c->cr4 & CR4_OSXSAVE)
		out[2] |= BIT(27);
	/* the APIC and what hangs on it are there when the board has one and it is on */
	if (!has_local_apic(c))
		out[2] &= ~(BIT(21) | BIT(24));
	if (!has_local_apic(c) || !(c->msr.apic_base & BIT(11)))
		out[3] &= ~BIT(9);
	out[3] = t.package ? out[3] | BIT(28) : out[3] & ~BIT(28);
}

/* Deterministic cache parameters. */
static void leaf4(struct x86_cpu *c, u32 sub, u32 out[4])
{
	static const struct {
		u8 type, level;
		u16 ways;
		u32 sets;
		bool all;
	} cache[] = {
		{ 1, 1, 8, 64, false },
		{ 2, 1, 8, 64, false },
		{ 3, 2, 16, 2048, false },
		{ 3, 3, 16, 16384, true },
	};
	const struct topology t = topology(c);
	u32 share, cores;

	if (sub >= ARRAY_SIZE(cache))
		return;
	share = 1u << (cache[sub].all ? t.die : t.core);
	cores = 1u << (t.package - t.core);
	out[0] = cache[sub].type | cache[sub].level << 5 | 1 << 8 | (share - 1) << 14 |
		 (MIN(cores, 64u) - 1) << 26;
	out[1] = 63 | (cache[sub].ways - 1u) << 22;
	out[2] = cache[sub].sets - 1;
	out[3] = cache[sub].all ? 2 : 0;
}

/* Leaf 0xb knows threads and cores, leaf 0x1f also dies. */
static void leaf_topology(struct x86_cpu *c, u32 leaf, u32 sub, u32 out[4])
{
	const struct topology t = topology(c);
	enum { THREADS = 1, CORES = 2, DIES = 5 };
	const struct {
		u32 bits, cpus, kind;
	} levels[] = {
		{ t.core, t.threads, THREADS },
		{ leaf == 0x1f ? t.die : t.package,
		  t.threads * t.cores * (leaf == 0x1f ? 1 : t.dies), CORES },
		{ t.package, t.threads * t.cores * t.dies, DIES },
	};

	out[2] = sub & 0xff;
	out[3] = c->apic_id;
	if (sub > 2 || (sub == 2 && (leaf == 0xb || t.dies == 1)))
		return;
	out[0] = levels[sub].bits;
	out[1] = levels[sub].cpus;
	out[2] |= levels[sub].kind << 8;
}

static void leaf_xsave(struct x86_cpu *c, u32 sub, u32 out[4])
{
	if (!x86_has(c, X86F_XSAVE))
		return;
	/* x87 and SSE states live in the legacy area: 512 bytes and the 64-byte header */
	if (sub == 0) {
		out[0] = 3;
		out[1] = out[2] = 576;
	} else if (sub == 1) {
		out[0] = x86_feat_word(c, FW_D1_EAX);
		out[1] = out[0] & BIT(1) ? 576 : 0;
	}
}

static u64 gcd(u64 a, u64 b) { return b ? gcd(b, a % b) : a; }

static void basic(struct x86_cpu *c, u32 leaf, u32 sub, u32 out[4])
{
	const struct x86_cpuid *id = c->id;

	switch (leaf) {
	case 0:
		out[0] = id->level;
		memcpy(&out[1], id->vendor, 4);
		memcpy(&out[3], id->vendor + 4, 4);
		memcpy(&out[2], id->vendor + 8, 4);
		break;
	case 1:
		leaf1(c, out);
		break;
	case 2: /* 0xff: see leaf 4; 0xf0: 64-byte prefetch */
		out[0] = 0x00fff001;
		break;
	case 4:
		leaf4(c, sub, out);
		break;
	case 5:
		if (x86_has(c, X86F_MONITOR)) {
			out[0] = out[1] = 64;
			out[2] = 3;
		}
		break;
	case 6:
		out[0] = x86_feat_word(c, FW_6_EAX);
		break;
	case 7:
		if (sub == 0) {
			out[0] = 2;
			out[1] = x86_feat_word(c, FW_7_EBX);
			out[2] = x86_feat_word(c, FW_7_ECX);
			out[3] = x86_feat_word(c, FW_7_EDX);
		} else if (sub == 1) {
			out[0] = x86_feat_word(c, FW_71_EAX);
		} else if (sub == 2) {
			out[3] = x86_feat_word(c, FW_72_EDX);
		}
		break;
	case 0xb:
	case 0x1f:
		leaf_topology(c, leaf, sub, out);
		break;
	case 0xd:
		leaf_xsave(c, sub, out);
		break;
	case 0x15: /* crystal = the local APIC's timer clock */
		out[0] = X86_CRYSTAL_HZ / gcd(X86_CRYSTAL_HZ, c->tsc_hz);
		out[1] = c->tsc_hz / gcd(X86_CRYSTAL_HZ, c->tsc_hz);
		out[2] = X86_CRYSTAL_HZ;
		break;
	case 0x16:
		out[0] = out[1] = c->tsc_hz / 1000000;
		out[2] = 100;
		break;
	}
}

static void hypervisor_leaf(struct x86_cpu *c, u32 leaf, u32 out[4])
{
	switch (leaf) {
	case 0x40000000:
		out[0] = 0x40000010;
		memcpy(&out[1], c->id->kvm ? "KVMKVMKVM\0\0\0" : "QuernQuernQu", 12);
		break;
	case 0x40000001:
		out[0] = c->id->kvm ? x86_feat_word(c, FW_KVM) : 0;
		break;
	case 0x40000010:
		out[0] = c->tsc_hz / 1000;
		out[1] = X86_CRYSTAL_HZ / 1000;
		break;
	}
}

static void extended(struct x86_cpu *c, u32 leaf, u32 out[4])
{
	const struct x86_cpuid *id = c->id;
	bool amd = id->amd;
	const struct topology t = topology(c);
	u32 n = t.dies * t.cores * t.threads;

	switch (leaf) {
	case 0x80000000:
		if (amd)
			basic(c, 0, 0, out);
		out[0] = id->xlevel;
		break;
	case 0x80000001:
		out[0] = x86_signature(c);
		out[2] = x86_feat_word(c, FW_81_ECX) & ~(n > 1 && amd ? 0u : BIT(1));
		out[3] = x86_feat_word(c, FW_81_EDX);
		if (amd) /* copies of the features of leaf 1 */
			out[3] |= x86_feat_word(c, FW_1_EDX) & 0x0183f3ff;
		break;
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
		memcpy(out, id->name + (leaf - 0x80000002) * 16, 16);
		break;
	case 0x80000005:
		out[0] = out[1] = 0x01ff01ff;
		out[2] = out[3] = 0x20080140;
		break;
	case 0x80000006:
		out[2] = 0x08008140; /* 2 MiB, 16-way, 64-byte lines */
		out[3] = amd ? 0x00808140 : 0;
		break;
	case 0x80000007:
		out[3] = x86_feat_word(c, FW_87_EDX);
		break;
	case 0x80000008:
		out[0] = id->phys_bits | id->virt_bits << 8;
		out[1] = x86_feat_word(c, FW_88_EBX);
		out[2] = amd && n > 1 ? (n - 1) | t.package << 12 : 0;
		break;
	case 0x80000021:
		out[0] = x86_feat_word(c, FW_821_EAX);
		out[2] = x86_feat_word(c, FW_821_ECX);
		break;
	}
}

void x86_cpuid(struct x86_cpu *c, u32 leaf, u32 sub, u32 out[4])
{
	const struct x86_cpuid *id = c->id;

	memset(out, 0, 16);
	if (leaf >= 0x80000000) {
		/* past the end Intel answers with the highest basic leaf, AMD with zeros */
		if (leaf <= id->xlevel && id->xlevel)
			extended(c, leaf, out);
		else if (leaf == 0x80000000)
			out[0] = id->xlevel;
		return;
	}
	if (leaf >= 0x40000000) {
		if (id->hypervisor && leaf <= 0x40000010)
			hypervisor_leaf(c, leaf, out);
		return;
	}
	if (leaf <= id->level)
		basic(c, leaf, sub, out);
}

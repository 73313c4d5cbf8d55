/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpuid.h - the features that CPUID can advertise (cpuid.def), and the configured identification of
 * a CPU. */
#pragma once
#include "x86.h"

/* The 32-bit words that features live in: a CPUID register each, or a word of a model-specific
 * register. */
enum x86_feat_word {
	FW_1_EDX,
	FW_1_ECX,
	FW_81_EDX,
	FW_81_ECX,
	FW_7_EBX,
	FW_7_ECX,
	FW_7_EDX,
	FW_71_EAX,
	FW_72_EDX,
	FW_D1_EAX,
	FW_6_EAX,
	FW_87_EDX,
	FW_88_EBX,
	FW_821_EAX,
	FW_821_ECX,
	FW_KVM,
	FW_ARCH,
	FW_COUNT
};
enum x86_feat {
#define FEAT(id, word, bit, name, alias, have) X86F_##id = (word)*32 + (bit),
#include "cpuid.def"
#undef FEAT
};
_Static_assert(FW_COUNT <= 32, "x86_cpu.feat holds 32 words");

/* models.c: what a CPU model has. */
struct x86_model {
	const char *name;
	u32 family, model, stepping, level, xlevel;
	const char *vendor; /* "GenuineIntel" */
	const char *brand;
	/* feature names, blank-separated; "all" = everything Quern has */
	const char *has;
};
extern const struct x86_model x86_models[]; /* ends with {} */
struct x86_cpuid {
	const struct x86_model *model;
	char vendor[13], name[49];
	u32 family, stepping, modelno;
	u32 level, xlevel; /* highest basic and extended leaf */
	unsigned phys_bits, virt_bits;
	bool amd;	      /* the vendor is AMD: where the two differ */
	bool hypervisor, kvm; /* leaves 0x40000000.. with their signature */
	u64 tsc_hz;	      /* as the user wants it, or 0 */
	/* per package, die and core: -cpu ...,dies=,cores=,threads= (boards add them); 0 cores =
	 * all CPUs in one package */
	u32 dies, cores, threads;
	bool own_apic_id; /* by -cpu ...,apic-id= */
};

#define INTEL_VENDOR "GenuineIntel"
/* The clock of the local APIC's timer, told to guests as the core crystal clock. */
enum { X86_CRYSTAL_HZ = 1000000000 };

static inline u32 x86_feat_word(const struct x86_cpu *c, unsigned w)
{
	return (u32)(c->feat[w >> 1] >> (w & 1) * 32);
}
void x86_feat_set(struct x86_cpu *c, unsigned feature, bool on);
/* The APIC ID says where the CPU sits: package, die, core, thread, each in as many bits as it
 * needs (SDM volume 3, 8.9.1). */
u32 x86_apic_id(const struct x86_cpu *c);
/* The help text of `-cpu help`: one model or feature per call. */
void x86_cpuid_help(void (*line)(void *arg, const char *text), void *arg);

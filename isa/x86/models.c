/* SPDX-License-Identifier: GPL-2.0-or-later */
/* models.c - CPU models by the names that -cpu takes: identity and features as the processors'
 * CPUID showed them, without what Quern cannot execute (AVX and later vectors, virtualisation,
 * transactional memory, performance counters).
 *
 * The default identity is that of an in-order Atom (family 6, model 0x36): it never speculates, so
 * that kernels need no mitigation against speculation, and that is the truth about an emulator.
 * Models of speculating processors say the same through IA32_ARCH_CAPABILITIES. */
#include "cpuid.h"

#define INTEL	"GenuineIntel"
#define AMD	"AuthenticAMD"
#define HYGON	"HygonGenuine"

#define P5	"fpu vme de pse tsc msr mce cx8 "
#define P6	P5 "pae apic sep mtrr pge mca cmov pat pse36 "
#define SSE2_32 P6 "clflush mmx fxsr sse sse2 "
#define LONG	SSE2_32 "syscall nx lm "
#define VIRTUAL "hypervisor x2apic tsc-deadline tsc-adjust arat invtsc kvm-nopiodelay "
/* Not needed mitigations, for processors that speculate. */
#define CALM \
	"arch-capabilities rdctl-no ibrs-all skip-l1dfl-vmentry ssb-no mds-no pschange-mc-no " \
	"taa-no sbdr-ssdp-no fbsdp-no psdp-no bhi-no " \
	"pbrsb-no gds-no rfds-no spec-ctrl bhi-ctrl "
#define CALM_AMD \
	"auto-ibrs ibrs amd-no-ssb btc-no srso-no lfence-always-serializing null-sel-clr-base " \
	"tsa-sq-no tsa-l1-no tsa-fill-no " \
	"kvmclock kvmclock-stable-bit "

#define CORE2	  LONG "sse3 ssse3 cx16 lahf-lm " VIRTUAL CALM
#define NEHALEM	  CORE2 "sse4.1 sse4.2 popcnt rdtscp "
#define WESTMERE  NEHALEM "aes pclmulqdq pcid "
#define SANDY	  WESTMERE "xsave xsaveopt "
#define IVY	  SANDY "fsgsbase rdrand smep erms "
#define HASWELL	  IVY "movbe abm bmi1 bmi2 invpcid pdpe1gb "
#define BROADWELL HASWELL "adx rdseed smap 3dnowprefetch "
#define SKYLAKE	  BROADWELL "clflushopt xsavec xgetbv1 "
#define ICELAKE	  SKYLAKE "clwb sha-ni umip rdpid fsrm "
#define K8	  LONG "mmx hypervisor x2apic " CALM_AMD
#define ZEN \
	K8 "sse3 ssse3 sse4.1 sse4.2 cx16 popcnt aes pclmulqdq movbe xsave xsaveopt xsavec " \
	   "xgetbv1 rdrand rdtscp pdpe1gb lahf-lm abm " \
	   "3dnowprefetch fsgsbase bmi1 bmi2 smep smap adx rdseed clflushopt sha-ni arat " \
	   "tsc-adjust invtsc tsc-deadline "

/* What a guest gets that did not ask for a model: all that matters for speed and that every kernel
 * knows. */
#define DEFAULT \
	"all -spec-ctrl -stibp -ssbd -ibpb -ibrs -amd-stibp -amd-ssbd -amd-no-ssb -auto-ibrs " \
	"-btc-no -srso-no -tsa-sq-no -tsa-l1-no -tsa-fill-no " \
	"-md-clear " \
	"-flush-l1d -bhi-ctrl -lfence-always-serializing -null-sel-clr-base -ibrs-all -monitor " \
	"-cmp-legacy -kvmclock -kvmclock-stable-bit -fzrm -fsrs "

#define BRAND "Quern Virtual CPU"

const struct x86_model x86_models[] = {
	{ "qemu64", 6, 0x36, 1, 0x16, 0x80000021, INTEL, BRAND, DEFAULT },
	{ "qemu32", 6, 0x36, 1, 0x16, 0x80000008, INTEL, BRAND,
	  DEFAULT "-lm -lahf-lm -cx16 -pdpe1gb -pcid -invpcid -fsgsbase -syscall " },
	{ "max", 6, 0x36, 1, 0x16, 0x80000021, INTEL, BRAND, DEFAULT },
	{ "base", 6, 0x36, 1, 0x16, 0x80000008, INTEL, BRAND, LONG },
	{ "kvm64", 15, 6, 1, 0x16, 0x80000008, INTEL, "Common KVM processor",
	  LONG "sse3 cx16 " VIRTUAL CALM },
	{ "kvm32", 15, 6, 1, 0x16, 0x80000008, INTEL, "Common 32-bit KVM processor",
	  SSE2_32 "sse3 " VIRTUAL CALM },
	{ "486", 4, 8, 0, 1, 0, INTEL, "", "fpu vme pse " },
	{ "pentium", 5, 4, 3, 1, 0, INTEL, "", P5 },
	{ "pentium2", 6, 5, 2, 2, 0, INTEL, "", P6 "mmx fxsr hypervisor " },
	{ "pentium3", 6, 7, 3, 3, 0, INTEL, "", P6 "mmx fxsr sse hypervisor " },
	{ "coreduo", 6, 14, 8, 0xa, 0x80000008, INTEL,
	  "Genuine Intel(R) CPU           T2600  @ 2.16GHz", SSE2_32 "sse3 nx " VIRTUAL CALM },
	{ "core2duo", 6, 15, 11, 0xa, 0x80000008, INTEL,
	  "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz", CORE2 },
	{ "n270", 6, 28, 10, 0xa, 0x80000008, INTEL, "Intel(R) Atom(TM) CPU N270   @ 1.60GHz",
	  SSE2_32 "sse3 ssse3 movbe nx lahf-lm " VIRTUAL },
	{ "Conroe", 6, 15, 3, 0xa, 0x80000008, INTEL,
	  "Intel Celeron_4x0 (Conroe/Merom Class Core 2)", CORE2 },
	{ "Penryn", 6, 23, 3, 0xa, 0x80000008, INTEL,
	  "Intel Core 2 Duo P9xxx (Penryn Class Core 2)", CORE2 "sse4.1 " },
	{ "Nehalem", 6, 26, 3, 0x16, 0x80000008, INTEL, "Intel Core i7 9xx (Nehalem Class Core i7)",
	  NEHALEM },
	{ "Westmere", 6, 44, 1, 0x16, 0x80000008, INTEL, "Westmere E56xx/L56xx/X56xx (Nehalem-C)",
	  WESTMERE },
	{ "SandyBridge", 6, 42, 1, 0x16, 0x80000008, INTEL, "Intel Xeon E312xx (Sandy Bridge)",
	  SANDY },
	{ "IvyBridge", 6, 58, 9, 0x16, 0x80000008, INTEL, "Intel Xeon E3-12xx v2 (Ivy Bridge)",
	  IVY },
	{ "Haswell", 6, 60, 4, 0x16, 0x80000008, INTEL, "Intel Core Processor (Haswell)", HASWELL },
	{ "Broadwell", 6, 61, 2, 0x16, 0x80000008, INTEL, "Intel Core Processor (Broadwell)",
	  BROADWELL },
	{ "Skylake-Client", 6, 94, 3, 0x16, 0x80000008, INTEL, "Intel Core Processor (Skylake)",
	  SKYLAKE },
	{ "Skylake-Server", 6, 85, 4, 0x16, 0x80000008, INTEL, "Intel Xeon Processor (Skylake)",
	  SKYLAKE "clwb " },
	{ "Cascadelake-Server", 6, 85, 6, 0x16, 0x80000008, INTEL,
	  "Intel Xeon Processor (Cascadelake)", SKYLAKE "clwb " },
	{ "Cooperlake", 6, 85, 10, 0x16, 0x80000008, INTEL, "Intel Xeon Processor (Cooperlake)",
	  SKYLAKE "clwb " },
	{ "Denverton", 6, 95, 1, 0x16, 0x80000008, INTEL, "Intel Atom Processor (Denverton)",
	  BROADWELL "clflushopt sha-ni xsavec xgetbv1 " },
	{ "Snowridge", 6, 134, 1, 0x1b, 0x80000008, INTEL, "Intel Atom Processor (SnowRidge)",
	  SKYLAKE "clwb sha-ni umip rdpid " },
	{ "Icelake-Server", 6, 106, 0, 0x16, 0x80000008, INTEL, "Intel Xeon Processor (Icelake)",
	  ICELAKE },
	{ "SapphireRapids", 6, 143, 4, 0x20, 0x80000008, INTEL,
	  "Intel Xeon Processor (SapphireRapids)", ICELAKE "fzrm fsrs " },
	{ "GraniteRapids", 6, 173, 0, 0x20, 0x80000008, INTEL,
	  "Intel Xeon Processor (GraniteRapids)", ICELAKE "fzrm fsrs " },
	{ "SierraForest", 6, 175, 0, 0x23, 0x80000008, INTEL, "Intel Xeon Processor (SierraForest)",
	  ICELAKE "fzrm fsrs " },
	{ "phenom", 16, 2, 3, 5, 0x8000001a, AMD, "AMD Phenom(tm) 9550 Quad-Core Processor",
	  K8 "sse3 monitor cx16 popcnt rdtscp lahf-lm abm pdpe1gb invtsc " },
	{ "athlon", 6, 2, 3, 1, 0x80000008, AMD, BRAND, P6 "mmx fxsr sse sse2 hypervisor " },
	{ "Opteron_G1", 15, 6, 1, 5, 0x80000008, AMD, "AMD Opteron 240 (Gen 1 Class Opteron)",
	  K8 "sse3 " },
	{ "Opteron_G2", 15, 6, 1, 5, 0x80000008, AMD, "AMD Opteron 22xx (Gen 2 Class Opteron)",
	  K8 "sse3 cx16 lahf-lm " },
	{ "Opteron_G3", 16, 2, 3, 5, 0x80000008, AMD, "AMD Opteron 23xx (Gen 3 Class Opteron)",
	  K8 "sse3 monitor cx16 popcnt lahf-lm abm rdtscp " },
	{ "Opteron_G4", 21, 1, 2, 0xd, 0x8000001a, AMD, "AMD Opteron 62xx class CPU",
	  K8 "sse3 ssse3 sse4.1 sse4.2 cx16 popcnt aes pclmulqdq xsave pdpe1gb rdtscp lahf-lm abm "
	     "3dnowprefetch " },
	{ "Opteron_G5", 21, 2, 0, 0xd, 0x8000001a, AMD, "AMD Opteron 63xx class CPU",
	  K8 "sse3 ssse3 sse4.1 sse4.2 cx16 popcnt aes pclmulqdq xsave pdpe1gb rdtscp lahf-lm abm "
	     "3dnowprefetch bmi1 " },
	{ "EPYC", 23, 1, 2, 0xd, 0x80000021, AMD, "AMD EPYC Processor", ZEN },
	{ "EPYC-Rome", 23, 49, 0, 0xd, 0x80000021, AMD, "AMD EPYC-Rome Processor",
	  ZEN "clwb umip rdpid " },
	{ "EPYC-Milan", 25, 1, 1, 0xd, 0x80000021, AMD, "AMD EPYC-Milan Processor",
	  ZEN "clwb umip rdpid pcid invpcid erms fsrm " },
	{ "EPYC-Genoa", 25, 17, 0, 0xd, 0x80000021, AMD, "AMD EPYC-Genoa Processor",
	  ZEN "clwb umip rdpid pcid invpcid erms fsrm " },
	{ "EPYC-Turin", 26, 0, 0, 0xd, 0x80000021, AMD, "AMD EPYC-Turin Processor",
	  ZEN "clwb umip rdpid pcid invpcid erms fsrm " },
	{ "Dhyana", 24, 0, 1, 0xd, 0x80000021, HYGON, "Hygon Dhyana Processor", ZEN },
	{ 0 }
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpuid.h - names of the features that CPUID advertises: number = 32 * word + bit, words are the registers of the leaves below (Intel SDM vol. 2,
 * CPUID). x86_has() tests them; -cpu +name,-name switches them. */
#pragma once

/* Words of x86_cpu.feat. */
enum { FW_1C, FW_1D, FW_7B, FW_7C, FW_7D, FW_81C, FW_81D, FW_D1A, FW_87D, FW_88B, FW_6A, FW_71A, FW_COUNT };
#define FEAT_(word, bit) (32 * FW_##word + (bit))
enum x86_feat {
	/* leaf 1 ECX */
	F_SSE3 = FEAT_(1C, 0), F_PCLMUL = FEAT_(1C, 1), F_MONITOR = FEAT_(1C, 3), F_SSSE3 = FEAT_(1C, 9), F_FMA = FEAT_(1C, 12), F_CX16 = FEAT_(1C, 13),
	F_PCID = FEAT_(1C, 17), F_SSE41 = FEAT_(1C, 19), F_SSE42 = FEAT_(1C, 20), F_X2APIC = FEAT_(1C, 21), F_MOVBE = FEAT_(1C, 22),
	F_POPCNT = FEAT_(1C, 23), F_TSC_DEADLINE = FEAT_(1C, 24), F_AES = FEAT_(1C, 25), F_XSAVE = FEAT_(1C, 26), F_OSXSAVE = FEAT_(1C, 27),
	F_AVX = FEAT_(1C, 28), F_F16C = FEAT_(1C, 29), F_RDRAND = FEAT_(1C, 30), F_HYPERVISOR = FEAT_(1C, 31),
	/* leaf 1 EDX */
	F_FPU = FEAT_(1D, 0), F_VME = FEAT_(1D, 1), F_DE = FEAT_(1D, 2), F_PSE = FEAT_(1D, 3), F_TSC = FEAT_(1D, 4), F_MSR = FEAT_(1D, 5),
	F_PAE = FEAT_(1D, 6), F_MCE = FEAT_(1D, 7), F_CX8 = FEAT_(1D, 8), F_APIC = FEAT_(1D, 9), F_SEP = FEAT_(1D, 11), F_MTRR = FEAT_(1D, 12),
	F_PGE = FEAT_(1D, 13), F_MCA = FEAT_(1D, 14), F_CMOV = FEAT_(1D, 15), F_PAT = FEAT_(1D, 16), F_PSE36 = FEAT_(1D, 17),
	F_CLFLUSH = FEAT_(1D, 19), F_MMX = FEAT_(1D, 23), F_FXSR = FEAT_(1D, 24), F_SSE = FEAT_(1D, 25), F_SSE2 = FEAT_(1D, 26),
	F_SS = FEAT_(1D, 27), F_HT = FEAT_(1D, 28),
	/* leaf 7 EBX, ECX, EDX */
	F_FSGSBASE = FEAT_(7B, 0), F_TSC_ADJUST = FEAT_(7B, 1), F_BMI1 = FEAT_(7B, 3), F_AVX2 = FEAT_(7B, 5), F_SMEP = FEAT_(7B, 7),
	F_BMI2 = FEAT_(7B, 8), F_ERMS = FEAT_(7B, 9), F_INVPCID = FEAT_(7B, 10), F_RDSEED = FEAT_(7B, 18), F_ADX = FEAT_(7B, 19),
	F_SMAP = FEAT_(7B, 20), F_CLFLUSHOPT = FEAT_(7B, 23), F_CLWB = FEAT_(7B, 24), F_SHA = FEAT_(7B, 29),
	F_UMIP = FEAT_(7C, 2), F_RDPID = FEAT_(7C, 22),
	F_FSRM = FEAT_(7D, 4), F_MD_CLEAR = FEAT_(7D, 10), F_SERIALIZE = FEAT_(7D, 14), F_ARCH_CAP = FEAT_(7D, 29),
	/* leaf 0x80000001 ECX, EDX */
	F_LAHF64 = FEAT_(81C, 0), F_CR8LEGACY = FEAT_(81C, 4), F_ABM = FEAT_(81C, 5), F_SSE4A = FEAT_(81C, 6), F_3DNOWPREFETCH = FEAT_(81C, 8),
	F_SYSCALL = FEAT_(81D, 11), F_NX = FEAT_(81D, 20), F_MMXEXT = FEAT_(81D, 22), F_FXSR_OPT = FEAT_(81D, 25), F_PDPE1GB = FEAT_(81D, 26),
	F_RDTSCP = FEAT_(81D, 27), F_LM = FEAT_(81D, 29),
	/* leaf 0xd subleaf 1 EAX */
	F_XSAVEOPT = FEAT_(D1A, 0), F_XSAVEC = FEAT_(D1A, 1), F_XGETBV1 = FEAT_(D1A, 2), F_XSAVES = FEAT_(D1A, 3),
	/* leaf 0x80000007 EDX, 0x80000008 EBX, 6 EAX */
	F_INVTSC = FEAT_(87D, 8), F_CLZERO = FEAT_(88B, 0), F_WBNOINVD = FEAT_(88B, 9), F_ARAT = FEAT_(6A, 2),
};

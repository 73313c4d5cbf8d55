/* SPDX-License-Identifier: GPL-2.0-or-later */
/* state.c - what of a CPU's structure is state, for snapshots, and what is made from it afterwards.
 */
#include "system.h"
#include "cpuid.h"
#include "lib/error.h"
#include <errno.h>

#define S(m) CPU_STATE(struct x86_cpu, m)
#define SAME(m) \
	{ \
#m, offsetof(struct x86_cpu, m), sizeof(((struct x86_cpu *)0)->m), true \
	}
const struct cpu_state x86_state[] = { S(gpr),
				       S(xmm),
				       S(eflags),
				       S(seg),
				       S(mxcsr),
				       S(fpu_cw),
				       S(fpu_sw),
				       S(fpu_tag),
				       S(fpu_op),
				       S(fpu_ip),
				       S(fpu_dp),
				       S(fpu_cs),
				       S(fpu_ds),
				       S(fpr),
				       S(xcr0),
				       S(cr0),
				       S(cr2),
				       S(cr3),
				       S(cr4),
				       S(dr),
				       S(efer),
				       S(gdt),
				       S(idt),
				       S(msr),
				       S(pdpte),
				       S(exc_vector),
				       S(exc_error),
				       S(exc_has_error),
				       S(exc_soft),
				       S(exc_next),
				       S(exc_delivering),
				       S(exc_cr2),
				       S(exc_ext),
				       S(exc_trap),
				       S(soft_kind),
				       S(watch_hits),
				       S(inhibit),
				       S(inhibit_pc),
				       S(nmi_masked),
				       S(nmi_pending),
				       S(init_pending),
				       S(smi_pending),
				       S(sipi_vector),
				       S(tsc_offset),
				       SAME(tsc_hz),
				       S(mon_addr),
				       S(mon_value),
				       S(monitoring),
				       S(mon_masked),
				       SAME(feat),
				       SAME(apic_id),
				       {} };

/* Scratch within an instruction, what belongs to the host or follows from the configuration, and
 * what x86_loaded makes. */
const struct cpu_state x86_derived[] = { S(cpu),	S(vtmp),     S(tmp),  S(sse_flags),
					 S(host_mxcsr), S(fpu_live), S(ferr), S(ferr_dev),
					 S(watching),	S(told),     S(id),   S(phys_mask),
					 S(table_gen),	S(tables),   {} };

int x86_loaded(struct cpu *cpu, struct error *e)
{
	struct x86_cpu *c = X86(cpu);

	x86_forget_tables(c);
	cpu_tlb_switch(cpu, c->cr4 & CR4_PCIDE ? c->cr3 & 0xfff : (u64)-1, false);
	cpu_tlb_flush_all(cpu);
	x86_update_watch(c);
	x86_mxcsr_written(c);
	x86_update_mode(c);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.c - the target description (GDB manual, appendix G): architecture, and all registers by
 * feature, with the types that their values have. */
#include "private.h"

/* Names of instruction sets in BFD. */
static const struct {
	const char *isa, *bfd;
} architectures[] = {
	{ "x86_64", "i386:x86-64" }, { "i386", "i386" },
	{ "aarch64", "aarch64" },    { "arm", "arm" },
	{ "riscv64", "riscv:rv64" }, { "riscv32", "riscv:rv32" },
};

/* One bit or field of a register: SDM 3A 2.3, 2.5; 1 3.4.3; 1 10.2.3; 4 table 2-2. */
struct flag {
	const char *name;
	u8 lo, hi;
};
static const struct flag eflags[] = { { "CF", 0, 0 },	 { "", 1, 1 },	   { "PF", 2, 2 },
				      { "AF", 4, 4 },	 { "ZF", 6, 6 },   { "SF", 7, 7 },
				      { "TF", 8, 8 },	 { "IF", 9, 9 },   { "DF", 10, 10 },
				      { "OF", 11, 11 },	 { "NT", 14, 14 }, { "RF", 16, 16 },
				      { "VM", 17, 17 },	 { "AC", 18, 18 }, { "VIF", 19, 19 },
				      { "VIP", 20, 20 }, { "ID", 21, 21 }, {} };
static const struct flag mxcsr[] = { { "IE", 0, 0 },   { "DE", 1, 1 },	 { "ZE", 2, 2 },
				     { "OE", 3, 3 },   { "UE", 4, 4 },	 { "PE", 5, 5 },
				     { "DAZ", 6, 6 },  { "IM", 7, 7 },	 { "DM", 8, 8 },
				     { "ZM", 9, 9 },   { "OM", 10, 10 }, { "UM", 11, 11 },
				     { "PM", 12, 12 }, { "FZ", 15, 15 }, {} };
static const struct flag cr0[] = { { "PE", 0, 0 },   { "MP", 1, 1 },   { "EM", 2, 2 },
				   { "TS", 3, 3 },   { "ET", 4, 4 },   { "NE", 5, 5 },
				   { "WP", 16, 16 }, { "AM", 18, 18 }, { "NW", 29, 29 },
				   { "CD", 30, 30 }, { "PG", 31, 31 }, {} };
static const struct flag cr3[] = { { "PCID", 0, 11 }, { "PDBR", 12, 63 }, {} };
static const struct flag cr4[] = { { "VME", 0, 0 },	     { "PVI", 1, 1 },
				   { "TSD", 2, 2 },	     { "DE", 3, 3 },
				   { "PSE", 4, 4 },	     { "PAE", 5, 5 },
				   { "MCE", 6, 6 },	     { "PGE", 7, 7 },
				   { "PCE", 8, 8 },	     { "OSFXSR", 9, 9 },
				   { "OSXMMEXCPT", 10, 10 }, { "UMIP", 11, 11 },
				   { "LA57", 12, 12 },	     { "VMXE", 13, 13 },
				   { "SMXE", 14, 14 },	     { "FSGSBASE", 16, 16 },
				   { "PCIDE", 17, 17 },	     { "OSXSAVE", 18, 18 },
				   { "SMEP", 20, 20 },	     { "SMAP", 21, 21 },
				   { "PKE", 22, 22 },	     {} };
static const struct flag efer[] = { { "SCE", 0, 0 },	 { "LME", 8, 8 },    { "LMA", 10, 10 },
				    { "NXE", 11, 11 },	 { "SVME", 12, 12 }, { "LMSLE", 13, 13 },
				    { "FFXSR", 14, 14 }, { "TCE", 15, 15 },  {} };

/* Types that are not gdb's own. A register of the plain type "int" gets one by its name. */
static const struct type {
	const char *name, *reg;
	u8 size;
	const struct flag *flags;
} types[] = {
	{ "i386_eflags", NULL, 4, eflags }, { "i386_mxcsr", NULL, 4, mxcsr },
	{ "x86_cr0", "cr0", 8, cr0 },	    { "x86_cr3", "cr3", 8, cr3 },
	{ "x86_cr4", "cr4", 8, cr4 },	    { "x86_efer", "efer", 8, efer },
};

/* What an XMM register may hold. */
static const char vec128[] =
	"<vector id=\"v8h\" type=\"int16\" count=\"8\"/>\n"
	"<vector id=\"v16b\" type=\"int8\" count=\"16\"/>\n"
	"<vector id=\"v4w\" type=\"int32\" count=\"4\"/>\n"
	"<vector id=\"v2d\" type=\"int64\" count=\"2\"/>\n"
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n"
	"<vector id=\"v2f\" type=\"ieee_double\" count=\"2\"/>\n"
	"<union id=\"vec128\">\n"
	"<field name=\"v4_float\" type=\"v4f\"/>\n<field name=\"v2_double\" type=\"v2f\"/>\n"
	"<field name=\"v16_int8\" type=\"v16b\"/>\n<field name=\"v8_int16\" type=\"v8h\"/>\n"
	"<field name=\"v4_int32\" type=\"v4w\"/>\n<field name=\"v2_int64\" type=\"v2d\"/>\n"
	"<field name=\"uint128\" type=\"uint128\"/>\n"
	"</union>\n";

static const struct type *type_of(const struct cpu_reg *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct type *t = &types[i];

		if (str_eq(r->gdb_type, t->name) ||
		    (t->reg && str_eq(r->gdb_type, "int") && str_eq(r->name, t->reg) &&
		     r->bits == t->size * 8))
			return t;
	}
	return NULL;
}

static void put_flags(struct strbuf *b, const struct type *t)
{
	strbuf_printf(b, "<flags id=\"%s\" size=\"%u\">\n", t->name, t->size);
	for (const struct flag *f = t->flags; f->name; f++) {
		strbuf_printf(b, "<field name=\"%s\" start=\"%u\" end=\"%u\"", f->name, f->lo,
			      f->hi);
		strbuf_add(b, f->hi > f->lo ? " type=\"uint64\"/>\n" : "/>\n");
	}
	strbuf_add(b, "</flags>\n");
}

/* Types come before the registers of their feature, each once. */
static void put_types(struct strbuf *b, const struct cpu_reg *const *regs, unsigned n)
{
	bool has_vec = false;

	for (unsigned i = 0; i < n; i++) {
		const struct type *t = type_of(regs[i]);
		bool first = t;

		for (unsigned k = 0; t && k < i; k++)
			first &= type_of(regs[k]) != t;
		if (first)
			put_flags(b, t);
		if (!has_vec && str_eq(regs[i]->gdb_type, "vec128")) {
			has_vec = true;
			strbuf_add(b, vec128);
		}
	}
}

static const char *group_of(const struct cpu_reg *r)
{
	if (str_eq(r->gdb_type, "vec128") || str_eq(r->gdb_type, "i386_mxcsr"))
		return "vector";
	if (str_eq(r->gdb_type, "i387_ext") ||
	    (r->name[0] == 'f' && str_eq(r->gdb_type, "int") && r->bits == 32))
		return "float";
	return str_suffix(r->feature, ".control") ? "system" : "general";
}

static void put_feature(struct strbuf *b, const struct cpu_reg *const *regs, unsigned n,
			unsigned number)
{
	strbuf_printf(b, "<feature name=\"%s\">\n", regs[0]->feature);
	put_types(b, regs, n);
	for (unsigned i = 0; i < n; i++) {
		const struct type *t = type_of(regs[i]);

		strbuf_printf(b,
			      "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\" "
			      "group=\"%s\"/>\n",
			      regs[i]->name, regs[i]->bits, t ? t->name : regs[i]->gdb_type,
			      number + i, group_of(regs[i]));
	}
	strbuf_add(b, "</feature>\n");
}

char *gdb_target_xml(const struct isa *isa, const char *bfd_name, const struct cpu_reg *const *regs,
		     unsigned n)
{
	struct strbuf b = { 0 };
	unsigned k;

	strbuf_add(&b, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
		       "<target version=\"1.0\">\n");
	for (size_t i = 0; !bfd_name && i < ARRAY_SIZE(architectures); i++)
		if (str_eq(isa->name, architectures[i].isa))
			bfd_name = architectures[i].bfd;
	if (bfd_name)
		strbuf_printf(&b, "<architecture>%s</architecture>\n", bfd_name);
	/* A kernel: its modules are libraries by the protocol's own table, not by a dynamic
	 * linker's. */
	strbuf_add(&b, "<osabi>none</osabi>\n");
	for (unsigned i = 0; i < n; i += k) {
		for (k = 1; i + k < n && str_eq(regs[i + k]->feature, regs[i]->feature); k++)
			;
		put_feature(&b, regs + i, k, i);
	}
	strbuf_add(&b, "</target>\n");
	return strbuf_take(&b);
}

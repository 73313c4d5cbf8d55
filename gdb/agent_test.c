/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_test.c - agent expressions: each operation, what gdb itself compiles, and wrong ones. */
#include "agent.h"
#include "lib/str.h"
#include "lib/test.h"
#include <errno.h>

static struct strbuf printed;

static int guest_read(void *arg, u64 addr, void *buf, size_t n)
{
	static const u8 mem[16] = { 1, 2, 3, 0x84, 5, 6, 7, 0x88, 'h', 'i', 0 };

	if (!range_fits(addr - 0x1000, n, sizeof(mem)) || addr < 0x1000)
		return -EFAULT;
	memcpy(buf, mem + (addr - 0x1000), n);
	return 0;
}

static int guest_reg(void *arg, unsigned number, u64 *val)
{
	*val = number * 0x100000001ull;
	return number < 16 ? 0 : -EINVAL;
}

static void guest_print(void *arg, const char *text, size_t n) { strbuf_addn(&printed, text, n); }

static const struct agent_guest guest = { guest_read, guest_reg, guest_print, NULL, false };

static int eval(const char *hex, u64 *val)
{
	u8 code[256];
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1] };
		u64 v;

		CHECK(!str_to_u64(two, 16, &v));
		code[i] = v;
	}
	return agent_eval(&guest, code, n, val);
}

static u64 value(const char *hex)
{
	u64 v;

	CHECK_EQ(eval(hex, &v), 0);
	return v;
}

TEST(agent_arithmetic)
{
	CHECK_EQ(value("2205220302"
		       "27"),
		 8);
	CHECK_EQ(value("2205220303"
		       "27"),
		 2);
	CHECK_EQ(value("2205220304"
		       "27"),
		 15);
	CHECK_EQ(value("22f9160822030527"), -2);
	CHECK_EQ(value("22f9160822030727"), -1);
	CHECK_EQ(value("22f922030627"), 83);
	CHECK_EQ(value("22f922040827"), 1);
	CHECK_EQ(value("220122040927"), 16);
	CHECK_EQ(value("22f0160822040a27"), -1);
	CHECK_EQ(value("22f022040b27"), 15);
	CHECK_EQ(value("22010e27"), 0);
	CHECK_EQ(value("220c220a0f27"), 8);
	CHECK_EQ(value("220c220a1027"), 14);
	CHECK_EQ(value("220c220a1127"), 6);
	CHECK_EQ(value("22001227"), -1);
	CHECK_EQ(value("220c220c1327"), 1);
	CHECK_EQ(value("22ff160822001427"), 1);
	CHECK_EQ(value("22ff160822001527"), 0);
	CHECK_EQ(value("2312342a0827"), 0x34);
	CHECK_EQ(value("24123456782a4027"), 0x12345678);
	CHECK_EQ(value("25112233445566778827"), 0x1122334455667788);
}

TEST(agent_stack_and_jumps)
{
	CHECK_EQ(value("22012202220333"
		       "27"),
		 2); /* 1 2 3 -> 3 1 2 */
	CHECK_EQ(value("220122022b27"), 1);
	CHECK_EQ(value("22012202320127"), 1);
	CHECK_EQ(value("220122022927"), 1);
	CHECK_EQ(value("22072802"
		       "27"),
		 14);
	/* if (1) 5 else 6 */
	CHECK_EQ(value("2201200008220627220527"), 5);
	CHECK_EQ(value("2200200008220627220527"), 6);
	CHECK_EQ(value("27"), 0);
}

TEST(agent_registers_and_memory)
{
	CHECK_EQ(value("26000327"), 0x300000003);
	CHECK_EQ(value("2310001727"), 1);
	CHECK_EQ(value("2310001827"), 0x0201);
	CHECK_EQ(value("2310001927"), 0x84030201);
	CHECK_EQ(value("231000191620"
		       "27"),
		 (s32)0x84030201);
	CHECK_EQ(value("2310001a27"), 0x8807060584030201);
}

TEST(agent_printf)
{
	u64 v;

	/* gdb pushes the arguments last to first, then channel and function */
	CHECK_EQ(eval("22012200220034010003256600"
		      "27",
		      &v),
		 -EINVAL);
	CHECK_EQ(eval("231008"
		      "2411111111"
		      "2200"
		      "2200"
		      "34"
		      "02"
		      "000d"
		      "783d2530347820257325250a"
		      "00"
		      "27",
		      &v),
		 0);
	CHECK_STR(strbuf_str(&printed), "x=11111111 hi%\n");
	strbuf_fini(&printed);
}

TEST(agent_printf_escapes)
{
	u64 v;

	/* "\\n\\101\\\\%d\\" */
	CHECK_EQ(eval("2205"
		      "2200"
		      "2200"
		      "34"
		      "01"
		      "000c"
		      "5c6e5c3130315c5c25645c00"
		      "27",
		      &v),
		 0);
	CHECK_STR(strbuf_str(&printed), "\nA\\5");
	strbuf_fini(&printed);
}

TEST(agent_mistakes)
{
	u64 v;

	CHECK_EQ(eval("02", &v), -EINVAL);
	CHECK_EQ(eval("22", &v), -EINVAL);
	CHECK_EQ(eval("", &v), -EINVAL);
	CHECK_EQ(eval("2205220006"
		      "27",
		      &v),
		 -EINVAL);
	CHECK_EQ(eval("2205220005"
		      "27",
		      &v),
		 -EINVAL);
	CHECK_EQ(eval("220517"
		      "27",
		      &v),
		 -EFAULT);
	CHECK_EQ(eval("26010027", &v), -EINVAL);
	CHECK_EQ(eval("210000", &v), -ELOOP);
	CHECK_EQ(eval("22012100"
		      "00",
		      &v),
		 -EINVAL); /* the stack is full */
	CHECK_EQ(eval("21ffff", &v), -EINVAL);
	CHECK_EQ(eval("1d27", &v), -ENOTSUP);
	CHECK_EQ(eval("3401", &v), -EINVAL);
	CHECK_EQ(eval("34010005"
		      "41",
		      &v),
		 -EINVAL);
	CHECK_EQ(eval("2205160027", &v), -EINVAL);
}

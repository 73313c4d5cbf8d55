/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regfile_test.c - descriptions of registers: what they make, and what is said of bad ones. */
#include "dev/i2c/regfile.h"
#include "bus/i2c.h"
#include "core/command.h"
#include "core/tdev.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/test.h"
#include <stdio.h>
#include <unistd.h>

TEST(regfile_mistakes_are_named)
{
	static const char *const bad[][2] = {
		{ "", "f:1: no register is described" },
		{ "# nothing\n\nregister 0 a 1",
		  "f:3: 'register' is none of reg, field, ramp, noise, "
		  "pointer, size, endian, numbered, stays, pec" },
		{ "reg 0 a", "f:1: a register is: reg OFFSET NAME SIZE, and what it does" },
		{ "reg x a 1", "f:1: the offset takes a number, not 'x'" },
		{ "reg -1 a 1", "f:1: the offset takes a number, not '-1'" },
		{ "reg 0x10000 a 1", "f:1: the offset goes to 0xffff, and this is 0x10000" },
		{ "reg 0 1a 1", "f:1: '1a' is no name: up to 31 letters, digits and _" },
		{ "reg 0 a 3", "f:1: a register has 1, 2 or 4 bytes, not 3" },
		{ "reg 0 a 1 reset=256", "f:1: reset goes to 0xff, and this is 256" },
		{ "reg 0 a 1 rw", "f:1: 'rw' is none of reset=N, ro, ro=MASK, w1c=MASK, rclr=MASK, "
				  "count=N" },
		{ "reg 0 a 1 set=1",
		  "f:1: 'set=1' is none of reset=N, ro=MASK, w1c=MASK, rclr=MASK, "
		  "count=2..256" },
		{ "reg 0 a 2\nreg 1 b 1", "f:2: registers a and b overlap" },
		{ "reg 0 a 1\nreg 1 a 1", "f:2: there is a register a already" },
		{ "reg 0xff a 2", "f:1: register a ends behind the size, 0x100" },
		{ "field A 1", "f:1: a field belongs to the register above it, and there is none" },
		{ "reg 0 a 1\nfield A 5", "f:2: the mask 5 is no row of bits" },
		{ "reg 0 a 1\nfield A", "f:2: 'field' takes 2 words behind it, and here are 1" },
		{ "reg 0 a 1\nramp 0 9 soon", "f:2: a time is 1 to 999999 and s, ms or us, not "
					      "'soon'" },
		{ "reg 0 a 1\nendian big", "f:2: 'endian' comes before the registers" },
		{ "endian middle", "f:1: 'endian' takes big or little, not 'middle'" },
		{ "pointer 0", "f:1: the pointer has 1 or 2 bytes" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error e = { 0 };

		CHECK(!regfile_parse("f", bad[i][0], strlen(bad[i][0]), 64, &e));
		CHECK_STR(e.text, bad[i][1]);
		error_clear(&e);
	}
}

static struct tdev *described(const char *text)
{
	char path[] = "/tmp/quern-regs-XXXXXX", props[64];
	int fd = mkstemp(path);
	struct tdev *t = tdev_empty();

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	snprintf(props, sizeof(props), "file=%s", path);
	tdev_plug(t, "i2c-regfile", props);
	unlink(path);
	return t;
}

static const char sensor[] = "endian big\n"
			     "numbered\n"
			     "stays\n"
			     "pec\n"
			     "reg 0 temp 2 ro reset=0x1900 : Temperature.\n"
			     "reg 1 conf 1 reset=0x60 w1c=0x80 # settings\n"
			     "field MODE 0x60\n"
			     "field EVENT 0x80\n"
			     "reg 2 level 2 ro\n"
			     "ramp 100 200 10s\n";

static int word(struct tdev *t, u8 command, u16 *v)
{
	struct smbus s = { .protocol = SMBUS_WORD_DATA,
			   .address = 0x48,
			   .command = command,
			   .recv = true,
			   .pec = true };
	int err = smbus_transfer(tdev_i2c(t), &s);

	*v = ld16be(s.data);
	return err;
}

static int qmp(struct tdev *t, const char *name, json_t *args, json_t **result, struct error *e)
{
	struct command_session s = { .m = tdev_machine(t), .qmp = true };

	return command_run_qmp(&s, name, args, result, e);
}

static s64 get(struct tdev *t, const char *prop)
{
	struct error e = { 0 };
	json_t *r = NULL;
	s64 v;

	if (qmp(t, "qom-get", json_pack("{s:s, s:s}", "path", tdev_device(t)->id, "property", prop),
		&r, &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
	v = json_integer_value(r);
	json_decref(r);
	return v;
}

static void mistake(struct tdev *t, const char *name, json_t *args, const char *text)
{
	struct error e = { 0 };
	json_t *r = NULL;

	CHECK(qmp(t, name, args, &r, &e) < 0);
	CHECK_STR(e.text, text);
	error_clear(&e);
}

static void done(struct tdev *t, const char *name, json_t *args)
{
	struct error e = { 0 };
	json_t *r = NULL;

	if (qmp(t, name, args, &r, &e))
		test_fail(__FILE__, __LINE__, "%s", e.text);
	json_decref(r);
}

TEST(regfile_is_a_device)
{
	struct tdev *t = described(sensor);
	u16 v;

	CHECK_EQ(word(t, 0, &v), 0);
	CHECK_EQ(v, 0x1900);
	CHECK_EQ(tdev_r8(t, "conf"), 0x60);
	tdev_run_us(t, 2500000);
	CHECK_EQ(word(t, 2, &v), 0);
	CHECK_EQ(v, 125);
	done(t, "set-register",
	     json_pack("{s:s, s:s, s:i}", "id", "i2c-regfile0", "register", "temp", "value",
		       0x2000));
	CHECK_EQ(word(t, 0, &v), 0);
	CHECK_EQ(v, 0x2000);
	done(t, "qom-set",
	     json_pack("{s:s, s:s, s:i}", "path", "/machine/peripheral/i2c-regfile0", "property",
		       "conf.MODE", "value", 1));
	CHECK_EQ(tdev_r8(t, "conf"), 0x20);
	CHECK_EQ(get(t, "conf.MODE"), 1);
	done(t, "qom-set",
	     json_pack("{s:s, s:s, s:i}", "path", "i2c-regfile0", "property", "conf.EVENT", "value",
		       1));
	tdev_w8(t, "conf", 0x80);
	CHECK_EQ(get(t, "conf"), 0);
	mistake(t, "qom-set",
		json_pack("{s:s, s:s, s:i}", "path", "i2c-regfile0", "property", "conf.MODE",
			  "value", 4),
		"register 'conf' of 'i2c-regfile0' takes 0 to 0x3, not 0x4");
	mistake(t, "set-register",
		json_pack("{s:s, s:s, s:i}", "id", "i2c-regfile0", "register", "conf.X", "value",
			  4),
		"register 'conf' of 'i2c-regfile0' has no field 'X'");
	mistake(t, "qom-get",
		json_pack("{s:s, s:s}", "path", "i2c-regfile0", "property", "humidity"),
		"Property 'i2c-regfile.humidity' not found");
	tdev_free(t);
}

TEST(qom_settings)
{
	struct tdev *t = tdev_new_props("tmp105", "temperature=-1500");

	CHECK_EQ(get(t, "temperature"), -1500);
	done(t, "qom-set",
	     json_pack("{s:s, s:s, s:i}", "path", "/machine/peripheral/tmp1050", "property",
		       "temperature", "value", -2000));
	CHECK_EQ(get(t, "temperature"), -2000);
	CHECK_EQ(tdev_r16(t, "temp"), 0xfe00);
	mistake(t, "qom-set",
		json_pack("{s:s, s:s, s:s}", "path", "tmp1050", "property", "temperature", "value",
			  "1"),
		"Invalid parameter type for 'temperature', expected: integer");
	mistake(t, "qom-set",
		json_pack("{s:s, s:s, s:i}", "path", "tmp1050", "property", "temperature", "value",
			  128000),
		"property 'temperature' cannot be 128000: it goes from -128000 to 127999");
	mistake(t, "qom-get",
		json_pack("{s:s, s:s}", "path", "/machine/peripheral/no", "property", "x"),
		"Device '/machine/peripheral/no' not found");
	tdev_free(t);
}

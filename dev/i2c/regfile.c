/* SPDX-License-Identifier: GPL-2.0-or-later */
/* regfile.c - reads the text that describes registers, one line each, and says where it is wrong.
 */
#include "dev/i2c/regfile.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* One line, cut into words. */
struct line {
	const char *file;
	unsigned number;
	char *word[16];
	unsigned n;
	char *doc; /* behind " : ", or NULL */
	struct error *e;
	bool bad;
};
struct parser {
	struct regfile *f;
	u32 base;
	bool numbered, sized;
	u64 size;
};

static bool printf_like(2, 3) wrong(struct line *l, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	if (l->bad)
		return false;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(l->e, "%s:%u: %s", l->file, l->number, text);
	l->bad = true;
	return false;
}

static bool is(const char *a, const char *b) { return !strcmp(a, b); }

static bool number(struct line *l, const char *what, const char *text, u64 max, u64 *v)
{
	char *end;

	errno = 0;
	*v = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || errno)
		return wrong(l, "%s takes a number, not '%s'", what, text);
	if (*v > max)
		return wrong(l, "%s goes to %#llx, and this is %s", what, (unsigned long long)max,
			     text);
	return true;
}

/* "10s", "500ms", "20us" */
static bool duration(struct line *l, const char *text, u64 *ns)
{
	static const struct {
		const char *unit;
		u64 ns;
	} units[] = { { "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 } };
	char *end;
	u64 v = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;

	for (unsigned i = 0; v && v < 1000000 && i < ARRAY_SIZE(units); i++) {
		if (!is(end, units[i].unit))
			continue;
		*ns = v * units[i].ns;
		return true;
	}
	return wrong(l, "a time is 1 to 999999 and s, ms or us, not '%s'", text);
}

static bool name_ok(struct line *l, const char *name)
{
	bool ok = isalpha((unsigned char)*name) || *name == '_';

	for (const char *p = name; *p; p++)
		ok &= isalnum((unsigned char)*p) || *p == '_';
	return ok && strlen(name) < 32 ?
		       true :
		       wrong(l, "'%s' is no name: up to 31 letters, digits and _", name);
}

static bool words(struct line *l, unsigned n)
{
	return l->n == n ? true :
			   wrong(l, "'%s' takes %u words behind it, and here are %u", l->word[0],
				 n - 1, l->n - 1);
}

/* ---- registers */

static u64 all_bits(const struct reg *r) { return r->size == 8 ? ~0ull : BIT64(8 * r->size) - 1; }

static struct reg *last(struct parser *p)
{
	return p->f->nregs ? &p->f->regs[p->f->nregs - 1] : NULL;
}

static u64 end_of(const struct parser *p, const struct reg *r)
{
	return r->at + (u64)(r->count ? r->count : 1) * (p->numbered ? 1 : r->size);
}

static bool setting(struct line *l, struct reg *r, char *word)
{
	char *value = strchr(word, '=');
	u64 v = all_bits(r);

	if (value)
		*value++ = 0;
	if (is(word, "ro") && !value) {
		r->ro = v;
		return true;
	}
	if (!value || !number(l, word, value, v, &v))
		return wrong(l,
			     "'%s' is none of reset=N, ro, ro=MASK, w1c=MASK, rclr=MASK, count=N",
			     word);
	if (is(word, "reset"))
		r->reset = v;
	else if (is(word, "ro"))
		r->ro = v;
	else if (is(word, "w1c"))
		r->w1c = v;
	else if (is(word, "rclr"))
		r->rclr = v;
	else if (is(word, "count") && v >= 2 && v <= 256)
		r->count = (u16)v;
	else
		return wrong(l,
			     "'%s=%s' is none of reset=N, ro=MASK, w1c=MASK, rclr=MASK, "
			     "count=2..256",
			     word, value);
	return true;
}

static bool fits(struct parser *p, struct line *l, struct reg *r)
{
	u32 bytes = r->size * (r->count ? r->count : 1u);

	for (struct reg *o = p->f->regs; o < r; o++) {
		if (is(o->name, r->name))
			return wrong(l, "there is a register %s already", r->name);
		if (r->at < end_of(p, o) && o->at < end_of(p, r))
			return wrong(l, "registers %s and %s overlap", o->name, r->name);
	}
	p->f->store = ALIGN_UP(p->f->store, (u32)r->size);
	if (p->f->store + bytes > REGFILE_STORE)
		return wrong(l, "the registers have more than %u bytes in all", REGFILE_STORE);
	r->off = p->base + p->f->store;
	r->stride = r->count ? (p->numbered ? 1 : r->size) : 0;
	p->f->store += bytes;
	return true;
}

/* Each register's fields end with an empty one. */
static bool end_fields(struct parser *p, struct line *l)
{
	struct reg *r = last(p);

	if (!r || !r->fields)
		return true;
	if (p->f->nfields == REGFILE_FIELDS)
		return wrong(l, "there are more than %u fields", REGFILE_FIELDS);
	p->f->fields[p->f->nfields++] = (struct field){ 0 };
	return true;
}

/* reg OFFSET NAME SIZE [reset=N] [ro] [w1c=MASK]... [: sentence] */
static bool reg_line(struct parser *p, struct line *l)
{
	struct reg *r;
	u64 at, size;

	if (!end_fields(p, l))
		return false;
	if (p->f->nregs == REGFILE_REGS)
		return wrong(l, "there are more than %u registers", REGFILE_REGS);
	if (l->n < 4)
		return wrong(l, "a register is: reg OFFSET NAME SIZE, and what it does");
	if (!number(l, "the offset", l->word[1], 0xffff, &at) || !name_ok(l, l->word[2]) ||
	    !number(l, "the size", l->word[3], 4, &size))
		return false;
	if (size != 1 && size != 2 && size != 4)
		return wrong(l, "a register has 1, 2 or 4 bytes, not %llu",
			     (unsigned long long)size);
	r = &p->f->regs[p->f->nregs];
	*r = (struct reg){
		.name = l->word[2], .doc = l->doc ? l->doc : "", .at = (u32)at, .size = (u8)size
	};
	for (unsigned i = 4; i < l->n; i++) {
		if (!setting(l, r, l->word[i]))
			return false;
	}
	p->f->nregs++;
	return fits(p, l, r);
}

/* field NAME MASK */
static bool field_line(struct parser *p, struct line *l)
{
	struct reg *r = last(p);
	u64 mask, low;

	if (!r)
		return wrong(l, "a field belongs to the register above it, and there is none");
	if (!words(l, 3) || !name_ok(l, l->word[1]) ||
	    !number(l, "the mask", l->word[2], all_bits(r), &mask))
		return false;
	low = mask & -mask;
	if (!mask || ((mask + low) & mask))
		return wrong(l, "the mask %s is no row of bits", l->word[2]);
	if (p->f->nfields == REGFILE_FIELDS)
		return wrong(l, "there are more than %u fields", REGFILE_FIELDS);
	if (!r->fields)
		r->fields = &p->f->fields[p->f->nfields];
	p->f->fields[p->f->nfields++] = (struct field){ l->word[1], mask };
	return true;
}

static bool script_line(struct parser *p, struct line *l)
{
	struct reg *r = last(p);
	struct regfile_script *s;

	if (!r || r->count)
		return wrong(l, "'%s' belongs to the single register above it, and there is none",
			     l->word[0]);
	s = &p->f->script[p->f->nregs - 1];
	if (is(l->word[0], "noise"))
		return words(l, 2) && number(l, "the noise", l->word[1], all_bits(r), &s->noise);
	return words(l, 4) && number(l, "the beginning", l->word[1], all_bits(r), &s->from) &&
	       number(l, "the end", l->word[2], all_bits(r), &s->to) &&
	       duration(l, l->word[3], &s->period);
}

/* ---- the whole */

static bool global_line(struct parser *p, struct line *l)
{
	struct i2c_pointer *ptr = &p->f->pointer;
	u64 v;

	if (p->f->nregs)
		return wrong(l, "'%s' comes before the registers", l->word[0]);
	if (is(l->word[0], "pointer")) {
		if (!words(l, 2) || !number(l, "the pointer", l->word[1], 2, &v))
			return false;
		ptr->bytes = (u8)v;
		return v ? true : wrong(l, "the pointer has 1 or 2 bytes");
	}
	if (is(l->word[0], "size")) {
		p->sized = true;
		return words(l, 2) && number(l, "the size", l->word[1], 0x10000, &p->size);
	}
	if (is(l->word[0], "endian")) {
		if (!words(l, 2))
			return false;
		ptr->big_endian = is(l->word[1], "big");
		return ptr->big_endian || is(l->word[1], "little") ?
			       true :
			       wrong(l, "'endian' takes big or little, not '%s'", l->word[1]);
	}
	if (!words(l, 1))
		return false;
	if (is(l->word[0], "numbered"))
		p->numbered = true;
	else if (is(l->word[0], "stays"))
		ptr->stays = true;
	else
		ptr->pec = true;
	return true;
}

static bool one_line(struct parser *p, struct line *l)
{
	static const struct {
		const char *word;
		bool (*fn)(struct parser *p, struct line *l);
	} kinds[] = { { "reg", reg_line },	  { "field", field_line },
		      { "ramp", script_line },	  { "noise", script_line },
		      { "pointer", global_line }, { "size", global_line },
		      { "endian", global_line },  { "numbered", global_line },
		      { "stays", global_line },	  { "pec", global_line } };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (is(l->word[0], kinds[i].word))
			return kinds[i].fn(p, l);
	}
	return wrong(l,
		     "'%s' is none of reg, field, ramp, noise, pointer, size, endian, numbered, "
		     "stays, pec",
		     l->word[0]);
}

static bool cut(struct line *l, char *text)
{
	char *save = NULL, *doc = strstr(text, " : ");

	l->n = 0;
	l->doc = NULL;
	if (text[strspn(text, " \t\r")] == '#')
		return true;
	if (doc) {
		*doc = 0;
		l->doc = doc + 3 + strspn(doc + 3, " ");
		l->doc[strcspn(l->doc, "\r")] = 0;
	} else {
		text[strcspn(text, "#")] = 0;
	}
	for (char *w = strtok_r(text, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
		if (l->n == ARRAY_SIZE(l->word))
			return wrong(l, "the line has more than %zu words", ARRAY_SIZE(l->word));
		l->word[l->n++] = w;
	}
	return true;
}

static bool finish(struct parser *p, struct line *l)
{
	struct regfile *f = p->f;

	if (!f->nregs)
		return wrong(l, "no register is described");
	if (!end_fields(p, l))
		return false;
	if (!p->sized)
		p->size = f->pointer.bytes == 2 ? 0x10000 : 0x100;
	for (unsigned i = 0; i < f->nregs; i++) {
		if (end_of(p, &f->regs[i]) > p->size)
			return wrong(l, "register %s ends behind the size, %#llx", f->regs[i].name,
				     (unsigned long long)p->size);
	}
	f->bank = (struct bank){ .name = "regs",
				 .regs = f->regs,
				 .size = p->size,
				 .numbered = p->numbered,
				 .narrow = !p->numbered && !f->pointer.pec };
	return true;
}

struct regfile *regfile_parse(const char *name, const char *text, size_t n, u32 base,
			      struct error *e)
{
	struct regfile *f = calloc(1, sizeof(*f));
	struct parser p = { .f = f, .base = base };
	struct line l = { .file = name, .e = e };
	bool ok = f && (f->text = malloc(n + 1));
	char *at, *end;

	if (!ok) {
		error_set(e, "%s: no memory for it", name);
		regfile_free(f);
		return NULL;
	}
	memcpy(f->text, text, n);
	f->text[n] = 0;
	f->pointer.bytes = 1;
	if (memchr(text, 0, n)) {
		l.number = 1;
		ok = wrong(&l, "this is no text");
	}
	for (at = f->text; ok && at; at = end) {
		end = strchr(at, '\n');
		if (end)
			*end++ = 0;
		l.number++;
		ok = cut(&l, at) && (!l.n || one_line(&p, &l));
	}
	if (ok && finish(&p, &l))
		return f;
	regfile_free(f);
	return NULL;
}

void regfile_free(struct regfile *f)
{
	if (!f)
		return;
	free(f->text);
	free(f);
}

u64 regfile_value(const struct regfile *f, unsigned reg, u64 ns, u64 random)
{
	const struct regfile_script *s = &f->script[reg];
	u64 all = all_bits(&f->regs[reg]), v = f->regs[reg].reset;

	if (s->period) {
		u64 into = ns % s->period;

		v = s->to >= s->from ? s->from + (u64)((u128)(s->to - s->from) * into / s->period) :
				       s->from - (u64)((u128)(s->from - s->to) * into / s->period);
	}
	if (s->noise)
		v = v + random % (2 * s->noise + 1) - s->noise;
	return v & all;
}

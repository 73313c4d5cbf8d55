/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test.h - the unit test harness: TEST(name) { ... CHECK(...); } in a foo_test.c registers itself.
 * Every test runs in its own process with a time limit; a failed CHECK prints and ends the test.
 * Run: out/release/test-unit [-v] [-l] [-jN] [PATTERN...].
 */
#pragma once
#include <quern/types.h>

struct test {
	const char *name, *file;
	void (*run)(void);
	unsigned seconds; /* time limit; 0 = the default of 30 */
};

#define TEST_TIMED(name_, seconds_) \
	static void test_##name_(void); \
	static const struct test test_entry_##name_ = { #name_, __FILE__, test_##name_, \
							seconds_ }; \
	static const struct test *const test_link_##name_ \
		__attribute__((used, section("quern_tests"))) = &test_entry_##name_; \
	static void test_##name_(void)
#define TEST(name_) TEST_TIMED(name_, 0)

/* These print "file:line: text" and end the test's process; usable from helper functions and
 * threads. */
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...) printf_like(3, 4);
/* Ends the test as skipped: for a host that lacks what the test needs. */
_Noreturn void test_skip(const char *fmt, ...) printf_like(1, 2);
void test_check_str(const char *file, int line, const char *what, const char *got,
		    const char *want);
void test_check_mem(const char *file, int line, const char *what, const void *got, const void *want,
		    size_t n);

#define CHECK(cond) \
	do { \
		if (!(cond)) \
			test_fail(__FILE__, __LINE__, "CHECK(%s)", #cond); \
	} while (0)
/* Integers up to 64 bits and pointers, compared by value sign-extended; shown in decimal and hex.
 */
#define CHECK_EQ(got, want) \
	do { \
		__auto_type got_ = (got); \
		__auto_type want_ = (want); \
		if ((u64)got_ != (u64)want_) \
			test_fail(__FILE__, __LINE__, \
				  "%s is %lld (%#llx), expected %s = %lld (%#llx)", #got, \
				  (long long)got_, (long long)got_, #want, (long long)want_, \
				  (long long)want_); \
	} while (0)
/* NULL equals only NULL. */
#define CHECK_STR(got, want)	test_check_str(__FILE__, __LINE__, #got, got, want)
#define CHECK_MEM(got, want, n) test_check_mem(__FILE__, __LINE__, #got, got, want, n)

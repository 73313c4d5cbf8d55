/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * latency.h - how long something takes: a fixed time, or a distribution whose draws depend on the
 * machine's seed, the device and the number of the draw alone. Integer arithmetic throughout, so
 * that a run repeats on every host.
 *
 *   50us                      always
 *   20us..80us                uniform
 *   exp:50us                  exponential, by its mean
 *   normal:50us:5us           normal, by mean and standard deviation (within 6 of them, at least 0)
 *   lognormal:50us:2ms        log-normal, by its median and its 99th percentile
 *
 * Times are numbers (fractions allowed) with ns, us, ms or s; a bare number counts nanoseconds. At
 * most 2^53 ns (104 days) each.
 */
#pragma once
#include <quern/device.h>

/* l->drawn and l->key are left alone. 0, or -EINVAL with a sentence that names the text. */
int must_check latency_parse(struct latency *l, const char *text, struct error *e);
/* The text again; size 80 is enough. */
void latency_print(const struct latency *l, char *buf, size_t size);
/* One draw by a seed, for what is no device's: nanoseconds. */
u64 latency_draw(struct latency *l, u64 seed);
/* "50us": a time alone. */
int must_check time_parse(const char *text, u64 *ns, struct error *e);
/* Q32 fixed point. x > 0; the result is exact to 2^-30. */
s64 log2_q32(u64 x);
/* 2^x, 0 below 1, saturating. */
u64 exp2_q32(s64 x);

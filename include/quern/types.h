/* SPDX-License-Identifier: MIT */
/* types.h - the words every room speaks: fixed-width integers, bit fields, checked arithmetic, byte
 * order. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned __int128 u128;

#define must_check	    __attribute__((warn_unused_result))
#define printf_like(f, a)   __attribute__((format(printf, f, a)))
#define cold_path	    __attribute__((cold, noinline))
#define likely(x)	    __builtin_expect(!!(x), 1)
#define unlikely(x)	    __builtin_expect(!!(x), 0)

#define BIT(n)		    (1u << (n))
#define BIT64(n)	    (1ull << (n))
/* GENMASK(7, 4) = 0xf0: the bits hi..lo, both included; hi < 32. */
#define GENMASK(hi, lo)	    ((u32)((~0u >> (31 - (hi))) & (~0u << (lo))))
#define GENMASK64(hi, lo)   ((~0ull >> (63 - (hi))) & (~0ull << (lo)))
#define FIELD_GET(mask, v)  (((v) & (mask)) / ((mask) & -(mask)))
#define FIELD_PREP(mask, v) (((v) * ((mask) & -(mask))) & (mask))

#define ARRAY_SIZE(a)	    (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) \
	({ \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ < b_ ? a_ : b_; \
	})
#define MAX(a, b) \
	({ \
		__typeof__(a) a_ = (a); \
		__typeof__(b) b_ = (b); \
		a_ > b_ ? a_ : b_; \
	})
#define ALIGN_UP(x, a)	      (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a)      ((x) & ~((__typeof__(x))(a)-1))
#define container_of(p, T, m) ((T *)((char *)(p)-offsetof(T, m)))

/* Both return true when the result does not fit; *r then holds the wrapped value. */
#define add_overflow(a, b, r) __builtin_add_overflow(a, b, r)
#define mul_overflow(a, b, r) __builtin_mul_overflow(a, b, r)

/* Does [at, at+len) lie inside [0, size)? No overflow for any input. */
static inline bool range_fits(u64 at, u64 len, u64 size) { return at <= size && len <= size - at; }

/* Little- and big-endian loads and stores at any alignment; the only way bytes become integers. */
#define LDST_(n) \
	static inline u##n ld##n##le(const void *p) \
	{ \
		u##n v; \
		memcpy(&v, p, n / 8); \
		return LE_(n, v); \
	} \
	static inline void st##n##le(void *p, u##n v) \
	{ \
		v = LE_(n, v); \
		memcpy(p, &v, n / 8); \
	} \
	static inline u##n ld##n##be(const void *p) \
	{ \
		u##n v; \
		memcpy(&v, p, n / 8); \
		return BE_(n, v); \
	} \
	static inline void st##n##be(void *p, u##n v) \
	{ \
		v = BE_(n, v); \
		memcpy(p, &v, n / 8); \
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LE_(n, v) (v)
#define BE_(n, v) __builtin_bswap##n(v)
#else
#define LE_(n, v) __builtin_bswap##n(v)
#define BE_(n, v) (v)
#endif
LDST_(16)
LDST_(32)
LDST_(64)
static inline u8 ld8(const void *p) { return *(const u8 *)p; }
static inline void st8(void *p, u8 v) { *(u8 *)p = v; }

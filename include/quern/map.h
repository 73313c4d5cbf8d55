/* SPDX-License-Identifier: MIT */
/* map.h - QUERN_MAP(f, a, b, ...) = f(a) f(b) ...: up to 40 arguments. */
#pragma once
#define QUERN_CAT_(a, b) a##b
#define QUERN_CAT(a, b)	 QUERN_CAT_(a, b)
#define QUERN_NTH_(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, \
		   _18, _19, _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, _32, _33, \
		   _34, _35, _36, _37, _38, _39, _40, N, ...) \
	N
#define QUERN_COUNT(...) \
	QUERN_NTH_(__VA_ARGS__, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, \
		   24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, \
		   3, 2, 1)
#define QUERN_MAP1(f, a)       f(a)
#define QUERN_MAP2(f, a, ...)  f(a) QUERN_MAP1(f, __VA_ARGS__)
#define QUERN_MAP3(f, a, ...)  f(a) QUERN_MAP2(f, __VA_ARGS__)
#define QUERN_MAP4(f, a, ...)  f(a) QUERN_MAP3(f, __VA_ARGS__)
#define QUERN_MAP5(f, a, ...)  f(a) QUERN_MAP4(f, __VA_ARGS__)
#define QUERN_MAP6(f, a, ...)  f(a) QUERN_MAP5(f, __VA_ARGS__)
#define QUERN_MAP7(f, a, ...)  f(a) QUERN_MAP6(f, __VA_ARGS__)
#define QUERN_MAP8(f, a, ...)  f(a) QUERN_MAP7(f, __VA_ARGS__)
#define QUERN_MAP9(f, a, ...)  f(a) QUERN_MAP8(f, __VA_ARGS__)
#define QUERN_MAP10(f, a, ...) f(a) QUERN_MAP9(f, __VA_ARGS__)
#define QUERN_MAP11(f, a, ...) f(a) QUERN_MAP10(f, __VA_ARGS__)
#define QUERN_MAP12(f, a, ...) f(a) QUERN_MAP11(f, __VA_ARGS__)
#define QUERN_MAP13(f, a, ...) f(a) QUERN_MAP12(f, __VA_ARGS__)
#define QUERN_MAP14(f, a, ...) f(a) QUERN_MAP13(f, __VA_ARGS__)
#define QUERN_MAP15(f, a, ...) f(a) QUERN_MAP14(f, __VA_ARGS__)
#define QUERN_MAP16(f, a, ...) f(a) QUERN_MAP15(f, __VA_ARGS__)
#define QUERN_MAP17(f, a, ...) f(a) QUERN_MAP16(f, __VA_ARGS__)
#define QUERN_MAP18(f, a, ...) f(a) QUERN_MAP17(f, __VA_ARGS__)
#define QUERN_MAP19(f, a, ...) f(a) QUERN_MAP18(f, __VA_ARGS__)
#define QUERN_MAP20(f, a, ...) f(a) QUERN_MAP19(f, __VA_ARGS__)
#define QUERN_MAP21(f, a, ...) f(a) QUERN_MAP20(f, __VA_ARGS__)
#define QUERN_MAP22(f, a, ...) f(a) QUERN_MAP21(f, __VA_ARGS__)
#define QUERN_MAP23(f, a, ...) f(a) QUERN_MAP22(f, __VA_ARGS__)
#define QUERN_MAP24(f, a, ...) f(a) QUERN_MAP23(f, __VA_ARGS__)
#define QUERN_MAP25(f, a, ...) f(a) QUERN_MAP24(f, __VA_ARGS__)
#define QUERN_MAP26(f, a, ...) f(a) QUERN_MAP25(f, __VA_ARGS__)
#define QUERN_MAP27(f, a, ...) f(a) QUERN_MAP26(f, __VA_ARGS__)
#define QUERN_MAP28(f, a, ...) f(a) QUERN_MAP27(f, __VA_ARGS__)
#define QUERN_MAP29(f, a, ...) f(a) QUERN_MAP28(f, __VA_ARGS__)
#define QUERN_MAP30(f, a, ...) f(a) QUERN_MAP29(f, __VA_ARGS__)
#define QUERN_MAP31(f, a, ...) f(a) QUERN_MAP30(f, __VA_ARGS__)
#define QUERN_MAP32(f, a, ...) f(a) QUERN_MAP31(f, __VA_ARGS__)
#define QUERN_MAP33(f, a, ...) f(a) QUERN_MAP32(f, __VA_ARGS__)
#define QUERN_MAP34(f, a, ...) f(a) QUERN_MAP33(f, __VA_ARGS__)
#define QUERN_MAP35(f, a, ...) f(a) QUERN_MAP34(f, __VA_ARGS__)
#define QUERN_MAP36(f, a, ...) f(a) QUERN_MAP35(f, __VA_ARGS__)
#define QUERN_MAP37(f, a, ...) f(a) QUERN_MAP36(f, __VA_ARGS__)
#define QUERN_MAP38(f, a, ...) f(a) QUERN_MAP37(f, __VA_ARGS__)
#define QUERN_MAP39(f, a, ...) f(a) QUERN_MAP38(f, __VA_ARGS__)
#define QUERN_MAP40(f, a, ...) f(a) QUERN_MAP39(f, __VA_ARGS__)
#define QUERN_MAP(f, ...)      QUERN_CAT(QUERN_MAP, QUERN_COUNT(__VA_ARGS__))(f, __VA_ARGS__)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base64.h - bytes as text: base64 (RFC 4648 section 4) and hexadecimal. */
#pragma once
#include "lib/str.h"

void base64_encode(struct strbuf *to, const void *data, size_t n);
void hex_encode(struct strbuf *to, const void *data, size_t n);
/* Append to `to`; -EINVAL when text is not wholly of that form. Blanks between bytes are allowed.
 */
int must_check base64_decode(struct strbuf *to, const char *text);
int must_check hex_decode(struct strbuf *to, const char *text);

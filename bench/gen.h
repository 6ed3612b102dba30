/* SPDX-License-Identifier: Zlib */
/* Generated data that compresses like the real thing; the same on every machine. */
#ifndef GEN_H
#define GEN_H

#include <stddef.h>
#include <stdint.h>

enum gen_kind {
	GEN_TEXT,
	GEN_SOURCE,
	GEN_JSON,
	GEN_LOG,
	GEN_TABLE,
	GEN_BINARY,
	GEN_RANDOM,
	GEN_ZEROS,
	GEN_KINDS_NR,
};

const char *gen_name(enum gen_kind kind);

/* The kind's share of the mix, in parts. */
unsigned int gen_weight(enum gen_kind kind);

/* Fills buf with len bytes that depend on kind and seed only; a shorter len gives a prefix. */
void gen_fill(enum gen_kind kind, uint64_t seed, uint8_t *buf, size_t len);

#endif

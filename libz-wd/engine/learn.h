/* SPDX-License-Identifier: Zlib */
/* A running estimate of what software and a device cost by size, and the choice between them. */
#ifndef ZWD_LEARN_H
#define ZWD_LEARN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum zwd_learn_engine { ZWD_LEARN_SOFT, ZWD_LEARN_DEVICE };

/* Powers of two: up to 256 bytes, up to 512, ... and 1 MiB with all above. */
#define ZWD_LEARN_SIZES 13
#define ZWD_LEARN_LEN(size) ((size_t)256 << (size))

/* Where nothing was measured yet: nanoseconds of a call and picoseconds of a byte. */
struct zwd_learn_cost {
	uint32_t call_ns;
	uint32_t byte_ps;
};

/*
 * One kind of work. Measurements are kept as factors on the seed, by size. All fields that change
 * are read and written each for itself; a measurement lost between two threads is no harm.
 */
struct zwd_learn {
	struct zwd_learn_cost seed[2];
	/* From here on a device is preferred unless it is far slower: it frees a processor. */
	size_t bulk_len;
	struct {
		_Atomic uint32_t factor[2];
		_Atomic uint32_t calls; /* since the last one that went the other way to learn */
	} size[ZWD_LEARN_SIZES];
} __attribute__((aligned(64))); /* one direction's threads do not disturb the other's */

/* What zlib and a ZIP engine of 2023 cost. Inflate counts its input, which expands 4.5 times. */
#define ZWD_LEARN_SEED(bulk, ...) { .seed = { __VA_ARGS__ }, .bulk_len = (bulk) }
#define ZWD_LEARN_DEFLATE_FAST ZWD_LEARN_SEED(65536, { 13000, 5500 }, { 14000, 500 }) /* 1 to 3 */
#define ZWD_LEARN_DEFLATE_SLOW ZWD_LEARN_SEED(65536, { 9000, 16000 }, { 14000, 500 })
#define ZWD_LEARN_INFLATE ZWD_LEARN_SEED(16384, { 3000, 7500 }, { 14000, 1500 })

/* Where should the next call of len bytes go? Now and then to the engine that seems slower. */
enum zwd_learn_engine zwd_learn_choose(struct zwd_learn *l, size_t len);

/* A call of len bytes took ns on this engine. */
void zwd_learn_note(struct zwd_learn *l, enum zwd_learn_engine engine, size_t len, uint64_t ns);

/* What a call of len bytes is expected to take. */
uint64_t zwd_learn_ns(struct zwd_learn *l, enum zwd_learn_engine engine, size_t len);

/* The size from which the device is preferred, with all above it; UINT64_MAX: it never is. */
uint64_t zwd_learn_min_len(struct zwd_learn *l);

#endif

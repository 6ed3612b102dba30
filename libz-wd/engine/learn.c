/* SPDX-License-Identifier: Zlib */
/* A running estimate of what software and a device cost by size, and the choice between them. */
#include "config.h"

#include "engine/learn.h"

/*
 * A measurement packed in one word, so that it is never read half old: the factor on the seed, how
 * often it was measured (saturating), and how many outliers came last in a row.
 */
#define FACTOR_ONE 1024u
#define FACTOR_MASK 0xffffffu
#define NOTES_SHIFT 24
#define NOTES_MAX 15u
#define FAR_SHIFT 28

/* So many times too long is an outlier: page faults, other processes. Three in a row are true. */
#define FAR 4u
#define FAR_ROW 3u
/* Of which so much is believed at once. */
#define FAR_STEP 8u

/* The weight of a measurement, 1/8, once there are so many. */
#define WEIGHT 8u

/* How much slower a device may be where it frees a processor of bulk work. */
#define BULK_FAVOUR 4u

/* Engines about as fast as each other are compared so often soon, others fewer times or never. */
#define EARLY_NOTES 8u

/* Later: once in so many calls, times the ratio of costs. It costs 1/64 of the time at most. */
#define LATE_CALLS 64u

static unsigned int size_of(size_t len)
{
	unsigned int size = 0;

	while (size < ZWD_LEARN_SIZES - 1 && len > ZWD_LEARN_LEN(size))
		size++;
	return size;
}

static uint64_t seed_ns(const struct zwd_learn *l, enum zwd_learn_engine engine, size_t len)
{
	return l->seed[engine].call_ns + (uint64_t)len * l->seed[engine].byte_ps / 1000;
}

static uint32_t load(struct zwd_learn *l, enum zwd_learn_engine engine, unsigned int size)
{
	return atomic_load_explicit(&l->size[size].factor[engine], memory_order_relaxed);
}

static unsigned int notes(uint32_t word)
{
	return word >> NOTES_SHIFT & NOTES_MAX;
}

/* A size that was not measured is judged by the nearest that was. */
static uint64_t factor_of(struct zwd_learn *l, enum zwd_learn_engine engine, unsigned int size)
{
	/* A device that is slow to answer small requests says nothing of bulk: that is tried. */
	int first = engine == ZWD_LEARN_DEVICE && ZWD_LEARN_LEN(size) >= l->bulk_len ?
			    (int)size_of(l->bulk_len) : 0;

	for (int distance = 0; distance < ZWD_LEARN_SIZES; distance++) {
		int below = (int)size - distance, above = (int)size + distance;
		uint32_t word = below >= first ? load(l, engine, (unsigned int)below) : 0;

		if (!word && above < ZWD_LEARN_SIZES)
			word = load(l, engine, (unsigned int)above);
		if (word)
			return word & FACTOR_MASK;
	}
	return FACTOR_ONE;
}

uint64_t zwd_learn_ns(struct zwd_learn *l, enum zwd_learn_engine engine, size_t len)
{
	return seed_ns(l, engine, len) * factor_of(l, engine, size_of(len)) / FACTOR_ONE + 1;
}

static enum zwd_learn_engine compare(struct zwd_learn *l, size_t len, uint64_t ns[2])
{
	for (int engine = 0; engine < 2; engine++)
		ns[engine] = zwd_learn_ns(l, engine, len);
	if (len >= l->bulk_len)
		ns[ZWD_LEARN_DEVICE] = ns[ZWD_LEARN_DEVICE] / BULK_FAVOUR + 1;
	return ns[ZWD_LEARN_DEVICE] <= ns[ZWD_LEARN_SOFT] ? ZWD_LEARN_DEVICE : ZWD_LEARN_SOFT;
}

enum zwd_learn_engine zwd_learn_choose(struct zwd_learn *l, size_t len)
{
	unsigned int size = size_of(len);
	uint64_t ns[2];
	enum zwd_learn_engine best = compare(l, len, ns), other = !best;
	uint64_t ratio = ns[other] / ns[best];
	uint32_t calls = atomic_load_explicit(&l->size[size].calls, memory_order_relaxed);
	int is_early = (notes(load(l, other, size)) + 1) * ratio <= EARLY_NOTES;

	if (calls && (is_early || calls >= LATE_CALLS * ratio)) {
		calls = 0;
		best = other;
	} else {
		calls++;
	}
	atomic_store_explicit(&l->size[size].calls, calls, memory_order_relaxed);
	return best;
}

void zwd_learn_note(struct zwd_learn *l, enum zwd_learn_engine engine, size_t len, uint64_t ns)
{
	unsigned int size = size_of(len);
	uint32_t word = load(l, engine, size), far = word >> FAR_SHIFT;
	unsigned int nr = notes(word), weight = nr < WEIGHT ? nr + 1 : WEIGHT;
	int64_t factor = (int64_t)factor_of(l, engine, size);
	int64_t new = (int64_t)(ns * FACTOR_ONE / seed_ns(l, engine, len));
	int is_step;

	far = new > FAR * factor ? far + 1 : 0;
	/* After one step another may follow at once: it is on the way to the truth. */
	is_step = far == FAR_ROW || (far && word && !nr);
	if (is_step) {
		factor = new < FAR_STEP * factor ? new : FAR_STEP * factor;
		far = nr = 0;
	} else if (!far) {
		/* Nothing is so fast by accident. */
		if (new < factor / FAR)
			weight = 1;
		factor += (new - factor) / (int)weight;
	}
	if (nr < NOTES_MAX && !is_step)
		nr++;
	if (factor > FACTOR_MASK)
		factor = FACTOR_MASK;
	if (factor < 1)
		factor = 1;
	word = (uint32_t)factor | nr << NOTES_SHIFT | far << FAR_SHIFT;
	atomic_store_explicit(&l->size[size].factor[engine], word, memory_order_relaxed);
}

uint64_t zwd_learn_min_len(struct zwd_learn *l)
{
	uint64_t min_len = UINT64_MAX, ns[2];

	for (int size = ZWD_LEARN_SIZES - 1; size >= 0; size--) {
		if (compare(l, ZWD_LEARN_LEN(size), ns) == ZWD_LEARN_SOFT)
			break;
		min_len = size ? ZWD_LEARN_LEN(size) : 0;
	}
	return min_len;
}

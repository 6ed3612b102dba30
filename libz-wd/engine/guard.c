/* SPDX-License-Identifier: Zlib */
/* Does a device lose to software by more than is allowed: ZWD_GUARD? */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/guard.h"
#include "operate/log.h"
#include "stream/format.h"

/* One unit of the process in so many is compared. */
#define COMPARE_EVERY 16u
/* The process is judged by so many of those, and the older half of them is forgotten at so many. */
#define PROCESS_MIN 4u
#define PROCESS_MAX 16u
/* Of what begins while the process loses, one in so many is a device's. */
#define TRY_EVERY 16u

#define PIECE_LEN 16384u

/* All threads add to these, each number for itself: one that is lost is no harm. */
static struct zwd_guard_sums process;
static _Atomic unsigned int units_nr, refused_nr;
static atomic_int is_losing;

static void add(struct zwd_guard_sums *to, const struct zwd_guard_sums *more)
{
	uint64_t *sum = (uint64_t *)to;
	const uint64_t *n = (const uint64_t *)more;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		zwd_add(&sum[i], n[i]);
}

/* Half of them, or none. */
static void forget(struct zwd_guard_sums *sums, int is_all)
{
	uint64_t *sum = (uint64_t *)sums;

	for (size_t i = 0; i < sizeof(*sums) / sizeof(*sum); i++)
		__atomic_store_n(&sum[i], is_all ? 0 : __atomic_load_n(&sum[i], __ATOMIC_RELAXED) / 2,
				 __ATOMIC_RELAXED);
}

static struct zwd_guard_sums sums_now(const struct zwd_guard_sums *sums)
{
	struct zwd_guard_sums now;
	const uint64_t *from = (const uint64_t *)sums;
	uint64_t *to = (uint64_t *)&now;

	for (size_t i = 0; i < sizeof(now) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	return now;
}

/* Percent that a is more than b; in parts of as many as make it exact. */
static int is_more(uint64_t a, uint64_t b, unsigned int percent)
{
	return percent && a > b + b / 100 * percent + b % 100 * percent / 100;
}

static int is_larger(const struct zwd_guard_sums *sums)
{
	return is_more(sums->out, sums->soft_out, zwd_settings()->guard.ratio);
}

static uint64_t ns_per_mib(uint64_t ns, uint64_t len)
{
	return (ns >> 4 << 20) / len << 4; /* no hour is too long */
}

static int is_slower(const struct zwd_guard_sums *sums)
{
	return sums->in && sums->soft_in && is_more(ns_per_mib(sums->ns, sums->in),
						    ns_per_mib(sums->soft_ns, sums->soft_in),
						    zwd_settings()->guard.time);
}

static void judge_process(void)
{
	struct zwd_guard_sums sums = sums_now(&process);
	int is_lost, was_losing = atomic_load(&is_losing);

	if (sums.soft_units < PROCESS_MIN)
		return;
	is_lost = is_larger(&sums) || is_slower(&sums);
	if (is_lost != was_losing && atomic_compare_exchange_strong(&is_losing, &was_losing, is_lost)) {
		zwd_log(ZWD_LOG_INFO, "deflate: a device %s more than ZWD_GUARD allows",
			is_lost ? "loses" : "does not lose any more");
		forget(&process, 1);
	} else if (sums.soft_units >= PROCESS_MAX) {
		forget(&process, 0);
	}
}

/* What the real zlib makes of the unit: bytes, not more than stored blocks take. 0: no memory for that. */
static uint64_t soft_len(const struct zwd_unit *unit, const struct zwd_guard_soft *soft, uint64_t *ns)
{
	uint64_t stored_len = unit->stored_len + (unit->needs_marker ? ZWD_MARKER_LEN : 0), len;
	unsigned char *piece = malloc(PIECE_LEN);
	z_stream strm = { 0 };
	int z = Z_OK;

	if (!piece || zwd_soft_zlib.deflateInit2_(&strm, soft->level, Z_DEFLATED, -unit->window_bits,
						  soft->mem_level, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
						  sizeof(strm)) != Z_OK) {
		free(piece);
		return 0;
	}
	if (unit->is_continued && soft->history_len)
		zwd_soft_zlib.deflateSetDictionary(&strm, soft->history, (uInt)soft->history_len);
	strm.next_in = (z_const Bytef *)unit->in;
	strm.avail_in = (uInt)unit->len;
	*ns = zwd_now_ns();
	do {
		strm.next_out = piece;
		strm.avail_out = PIECE_LEN;
		z = zwd_soft_zlib.deflate(&strm, unit->is_last ? Z_FINISH : Z_SYNC_FLUSH);
	} while (z == Z_OK && !strm.avail_out);
	*ns = zwd_now_ns() - *ns;
	len = strm.total_out;
	zwd_soft_zlib.deflateEnd(&strm);
	free(piece);
	return len < stored_len ? len : stored_len;
}

static void compare(const struct zwd_unit *unit, const struct zwd_guard_soft *soft, struct zwd_guard_sums *sums)
{
	uint64_t ns = 0, len = soft_len(unit, soft, &ns);

	if (!len)
		return;
	sums->soft_units = 1;
	sums->soft_in = unit->len;
	sums->soft_ns = ns;
	sums->soft_out = len;
	sums->out = unit->out_len;
	zwd_count(ZWD_DEFLATE, ZWD_COMPARED, 1);
	zwd_count(ZWD_DEFLATE, ZWD_COMPARED_HW, unit->out_len);
	zwd_count(ZWD_DEFLATE, ZWD_COMPARED_SOFT, len);
}

void zwd_guard_note(struct zwd_guard *guard, const struct zwd_unit *unit, const struct zwd_guard_soft *soft,
		    uint64_t begin_ns)
{
	struct zwd_guard_sums one = { .units = 1, .in = unit->len, .ns = zwd_now_ns() - begin_ns };
	unsigned int nr = atomic_fetch_add_explicit(&units_nr, 1, memory_order_relaxed);

	if (guard->is_probe || nr % COMPARE_EVERY == 0)
		compare(unit, soft, &one);
	if (one.soft_units)
		guard->is_probe = 0;
	add(&guard->sums, &one);
	add(&process, &one);
	/* The first ones in flight side by side are waited for while nothing else is done. */
	guard->is_lost = guard->sums.soft_units &&
			 (is_larger(&guard->sums) ||
			  (guard->sums.units > zwd_settings()->depth && is_slower(&guard->sums)));
	judge_process();
}

/* For the process's sake. */
static int is_refused(struct zwd_guard *guard, int is_asking)
{
	unsigned int nr;

	if (guard->is_probe || !atomic_load_explicit(&is_losing, memory_order_relaxed))
		return 0;
	nr = atomic_load_explicit(&refused_nr, memory_order_relaxed);
	if (nr < TRY_EVERY - 1) {
		atomic_fetch_add_explicit(&refused_nr, 1, memory_order_relaxed);
		return 1;
	}
	if (!is_asking)
		return 0;
	if (!atomic_compare_exchange_strong(&refused_nr, &nr, 0))
		return 1;
	guard->is_probe = 1;
	return 0;
}

static void begin(struct zwd_guard *guard, int is_probe)
{
	*guard = (struct zwd_guard){ .is_on = 1, .is_probe = (unsigned char)is_probe };
}

int zwd_guard_refuses(struct zwd_guard *guard, int is_asking)
{
	int is_lost = guard->is_on && guard->is_lost;

	if (!guard->is_on)
		begin(guard, 0);
	if (!is_lost && !is_refused(guard, is_asking))
		return 0;
	begin(guard, 1);
	return 1;
}

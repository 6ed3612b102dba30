/* SPDX-License-Identifier: Zlib */
/* Input bytes that the process has on devices at once, and their bound: ZWD_IN_FLIGHT. */
#include "config.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <wd.h>

#include "engine/flight.h"
#include "engine/latency.h"

/*
 * In KiB, begun ones full, in one word that is never half old: of all requests, of those on lanes that are kept,
 * and of which process; those of a parent are not a child's.
 */
#define FIELD_BITS 25
#define FIELD_MASK ((1u << FIELD_BITS) - 1)
static _Atomic uint64_t flight;
static _Atomic uint32_t ended_nr;
/* Requests that wait for room, and in the upper half of which process they are. */
static _Atomic uint64_t waiting;

struct sums {
	uint64_t all, kept;
};

static uint64_t process(void)
{
	return (uint64_t)wd_generation() << 2 * FIELD_BITS;
}

static struct sums sums_of(uint64_t word)
{
	if (word >> 2 * FIELD_BITS << 2 * FIELD_BITS != process())
		return (struct sums){ 0, 0 };
	return (struct sums){ word & FIELD_MASK, word >> FIELD_BITS & FIELD_MASK };
}

static uint64_t word_of(struct sums sums)
{
	return process() | sums.kept << FIELD_BITS | sums.all;
}

/* 1: it is counted; 0: there is no room now. */
static int count(struct zwd_lane *lane, unsigned int len, int is_kept)
{
	uint64_t limit = zwd_settings()->in_flight >> 10, word = atomic_load(&flight), new;

	do {
		struct sums sums = sums_of(word);

		sums.all += len;
		if (is_kept)
			sums.kept += len;
		if (sums.all > limit || (is_kept && sums.kept > limit / 2))
			return 0;
		new = word_of(sums);
	} while (!atomic_compare_exchange_weak(&flight, &word, new));
	lane->flight = len;
	lane->is_flight_kept = is_kept;
	return 1;
}

static unsigned int waiting_nr(void)
{
	uint64_t word = atomic_load(&waiting);

	return word >> 32 == wd_generation() ? (unsigned int)word : 0;
}

static void count_waiting(int more)
{
	uint64_t word = atomic_load(&waiting), new;

	do {
		new = word >> 32 == wd_generation() ? word : (uint64_t)wd_generation() << 32;
		new += (uint64_t)more;
	} while (!atomic_compare_exchange_weak(&waiting, &word, new));
}

/* Until some request has ended since there were seen. -EBUSY: not before end_ns. */
static int wait_for(uint32_t seen, uint64_t end_ns)
{
	uint64_t now = zwd_now_ns(), ns = now < end_ns ? end_ns - now : 0;
	struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	if (!ns)
		return -EBUSY;
	syscall(SYS_futex, &ended_nr, FUTEX_WAIT_PRIVATE, seen, &ts);
	return 0;
}

/*
 * Will there be no room for it, ever, or not within the goal that is set? What fits beside each other is as
 * many places, which those who wait take in turns.
 */
static int is_in_vain(const struct zwd_lane *lane, unsigned int len)
{
	size_t places = (zwd_settings()->in_flight >> 10) / len;

	if (!places)
		return 1;
	return !lane->patience_ms && zwd_latency_is_queue_long(lane->dir, waiting_nr() + 1, (unsigned int)places);
}

/* 0: it is counted; -EBUSY: it found no room as long as its stream may wait. */
static int wait_for_room(struct zwd_lane *lane, unsigned int len, uint32_t seen)
{
	const struct zwd_settings *settings = zwd_settings();
	unsigned int ms = lane->patience_ms ? lane->patience_ms : zwd_settings_patience(settings);
	uint64_t end_ns = zwd_now_ns() + ms * 1000000ull;
	int ret;

	if (is_in_vain(lane, len))
		return -EBUSY;
	count_waiting(1);
	do {
		ret = wait_for(seen, end_ns);
		seen = atomic_load(&ended_nr);
	} while (!ret && !count(lane, len, 0));
	count_waiting(-1);
	return ret;
}

int zwd_flight_count(struct zwd_lane *lane, size_t len, int is_kept)
{
	unsigned int kib = (unsigned int)((len + 1023) >> 10);
	int saved_errno = errno, ret = 0;
	uint32_t seen;

	zwd_flight_end(lane);
	seen = atomic_load(&ended_nr);
	if (kib && !count(lane, kib, is_kept))
		ret = is_kept ? -EBUSY : wait_for_room(lane, kib, seen);
	errno = saved_errno;
	return ret;
}

void zwd_flight_uncount(struct zwd_lane *lane)
{
	uint64_t word = atomic_load(&flight), new;
	int saved_errno = errno;

	/* A child has its parent's lanes to give back, too. */
	while (lane->generation == wd_generation()) {
		struct sums sums = sums_of(word);

		sums.all -= lane->flight;
		if (lane->is_flight_kept)
			sums.kept -= lane->flight;
		new = word_of(sums);
		if (!atomic_compare_exchange_weak(&flight, &word, new))
			continue;
		atomic_fetch_add(&ended_nr, 1);
		if (waiting_nr())
			syscall(SYS_futex, &ended_nr, FUTEX_WAKE_PRIVATE, 1 << 30);
		break;
	}
	lane->flight = 0;
	errno = saved_errno;
}

/* SPDX-License-Identifier: Zlib */
/* How long a request is expected to take, beside the goal that is set: ZWD_LATENCY_MS. */
#include "config.h"

#include <stdatomic.h>

#include "engine/latency.h"
#include "operate/settings.h"

/* The weight of the latest request is 1/8; of one that is far shorter, as after a reset, 1/2. */
#define WEIGHT 8
#define TRY_NS 1000000000ull

static _Atomic uint64_t mean_ns[2]; /* 0: nothing is known */
static _Atomic uint64_t try_ns[2];  /* when it may be tried again */

/* One that is lost between two threads is no harm. */
void zwd_latency_note(enum zwd_dir dir, uint64_t ns)
{
	uint64_t mean = atomic_load_explicit(&mean_ns[dir], memory_order_relaxed);

	if (!zwd_settings()->latency_ms)
		return;
	if (!mean)
		mean = ns;
	else if (ns < mean / 2)
		mean = (mean + ns) / 2;
	else
		mean = (mean * (WEIGHT - 1) + ns) / WEIGHT;
	atomic_store_explicit(&mean_ns[dir], mean + !mean, memory_order_relaxed);
}

/* Is this the second in which it is tried again? */
static int is_due(enum zwd_dir dir, int is_trying)
{
	uint64_t now = zwd_now_ns(), at = atomic_load_explicit(&try_ns[dir], memory_order_relaxed);

	if (!at) {
		atomic_compare_exchange_strong(&try_ns[dir], &at, now + TRY_NS);
		return 0;
	}
	if (now < at)
		return 0;
	return !is_trying || atomic_compare_exchange_strong(&try_ns[dir], &at, now + TRY_NS);
}

int zwd_latency_is_queue_long(enum zwd_dir dir, unsigned int waiting_nr, unsigned int lanes_nr)
{
	uint64_t goal = zwd_settings()->latency_ms * 1000000ull;
	uint64_t mean = atomic_load_explicit(&mean_ns[dir], memory_order_relaxed);

	return goal && lanes_nr && mean * (lanes_nr + waiting_nr) / lanes_nr > goal;
}

int zwd_latency_is_long(enum zwd_dir dir, unsigned int waiting_nr, unsigned int lanes_nr, int is_trying)
{
	uint64_t goal = zwd_settings()->latency_ms * 1000000ull;
	uint64_t mean = atomic_load_explicit(&mean_ns[dir], memory_order_relaxed);

	if (mean > goal)
		return !is_due(dir, is_trying);
	return zwd_latency_is_queue_long(dir, waiting_nr, lanes_nr);
}

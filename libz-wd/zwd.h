/* SPDX-License-Identifier: Zlib */
/* What libz-wd offers beside zlib.h. See libz-wd(7). */
#ifndef ZWD_H
#define ZWD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library's own version, "0.1.0"; zlibVersion() is that of the zlib underneath. */
const char *zwd_version(void);

/* One direction's counters since the process began (in a forked child: since fork). */
struct zwd_dir_stats {
	uint64_t hw_requests; /* finished by the device without error */
	uint64_t hw_in;	      /* bytes given to it */
	uint64_t hw_out;      /* bytes it made */
	uint64_t soft_streams; /* streams that software did or finished, counted at their end */
	uint64_t soft_in;     /* bytes software worked on, counted when a stream ends or is reset */
	uint64_t soft_out;
	uint64_t failovers;   /* streams taken from the device after it failed */
	uint64_t retries;     /* requests sent again on another queue */
	uint64_t errors;      /* requests that ended in an error, a timeout or a wrong checksum */
	uint64_t stored;      /* deflate: units emitted as stored blocks because they would grow */
	uint64_t verified;    /* units inflated again and compared, ZWD_VERIFY */
	uint64_t mismatches;  /* of those, wrong */
	uint64_t ns_p50;      /* request latency, upper bound of the power of two it falls in */
	uint64_t ns_p99;
};

/* How the work of one direction was distributed. */
struct zwd_dir_choice {
	uint64_t parallel_units; /* units, or parts of a body, in flight beside another of their stream */
	uint64_t returns;	 /* streams that came back to the device after software had them */
	/* Why streams were software's, from their beginning or from some point on. */
	uint64_t soft_setting;	  /* ZWD_ENGINE=soft, or SOURCE_DATE_EPOCH */
	uint64_t soft_level;	  /* not among ZWD_LEVELS */
	uint64_t soft_strategy;	  /* not the default one */
	uint64_t soft_window;	  /* not of a size that a device has, or memory for less than it needs */
	uint64_t soft_dictionary; /* a preset one */
	uint64_t soft_tuned;	  /* deflatePrime(), inflateSync(), ...: see libz-wd(7) */
	uint64_t soft_small;	  /* software is expected to be faster at this size */
	uint64_t soft_no_device;
	uint64_t soft_busy;	  /* no queue became free */
	uint64_t soft_latency;	  /* the device was expected to take longer than ZWD_LATENCY_MS */
	uint64_t soft_failed;	  /* requests failed or hung, or the data is broken */
	/* Bytes from which streams go to the device, as set or learned; UINT64_MAX: none does. */
	uint64_t min_len;	  /* deflate: at level 4 and above */
	uint64_t min_len_fast;	  /* deflate: at levels 1 to 3 */
};

struct zwd_stats {
	struct zwd_dir_stats deflate;
	struct zwd_dir_stats inflate;
	struct zwd_dir_choice deflate_choice;
	struct zwd_dir_choice inflate_choice;
};

/*
 * Copies the counters. size: sizeof(struct zwd_stats), so that later versions may add to it.
 * Returns the number of bytes filled. Any thread, never blocks.
 */
size_t zwd_stats(struct zwd_stats *stats, size_t size);

#ifdef __cplusplus
}
#endif
#endif

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
	uint64_t copied;	 /* bytes of input that went into memory of the request's own first */
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

/* ZWD_GUARD: what was compared with what software makes of it, and why streams were software's then. */
struct zwd_dir_guard {
	uint64_t soft_guard;	/* the device lost by more than is allowed; a reason as those above */
	uint64_t compared;	/* units of deflate that software compressed, too */
	uint64_t compared_hw;	/* bytes that the device made of them */
	uint64_t compared_soft; /* bytes that software made of them */
};

struct zwd_stats {
	struct zwd_dir_stats deflate;
	struct zwd_dir_stats inflate;
	struct zwd_dir_choice deflate_choice;
	struct zwd_dir_choice inflate_choice;
	struct zwd_dir_guard deflate_guard;
	struct zwd_dir_guard inflate_guard;
};

/*
 * Copies the counters. size: sizeof(struct zwd_stats), so that later versions may add to it.
 * Returns the number of bytes filled. Any thread, never blocks.
 */
size_t zwd_stats(struct zwd_stats *stats, size_t size);

/*
 * What follows is for who looks from outside. zwd stat reads zwd_live out of any process that has the library, by
 * process_vm_readv(2), and from the files of ZWD_STATS=dir:PATH; the process does nothing for it. Inside a
 * program zwd_stats() is the way: zwd_live is not to be named there.
 */

/* In struct zwd_live_dir. Their order is part of the layout: new ones come at the end. */
enum zwd_counter {
	ZWD_HW_REQUESTS, /* these as in struct zwd_dir_stats */
	ZWD_HW_IN,
	ZWD_HW_OUT,
	ZWD_SOFT_STREAMS,
	ZWD_SOFT_IN,
	ZWD_SOFT_OUT,
	ZWD_FAILOVERS,
	ZWD_RETRIES,
	ZWD_ERRORS,
	ZWD_STORED,
	ZWD_VERIFIED,
	ZWD_MISMATCHES,
	ZWD_PARALLEL_UNITS, /* and these as in struct zwd_dir_choice */
	ZWD_RETURNS,
	ZWD_COPIED,
	ZWD_SOFT_SETTING,
	ZWD_SOFT_LEVEL,
	ZWD_SOFT_STRATEGY,
	ZWD_SOFT_WINDOW,
	ZWD_SOFT_DICTIONARY,
	ZWD_SOFT_TUNED,
	ZWD_SOFT_SMALL,
	ZWD_SOFT_NO_DEVICE,
	ZWD_SOFT_BUSY,
	ZWD_SOFT_LATENCY,
	ZWD_SOFT_FAILED,
	ZWD_SOFT_GUARD, /* and these as in struct zwd_dir_guard */
	ZWD_COMPARED,
	ZWD_COMPARED_HW,
	ZWD_COMPARED_SOFT,
	ZWD_COUNTERS
};

#define ZWD_LIVE_MAGIC "zwd-live"
#define ZWD_LIVE_VERSION 1
#define ZWD_LIVE_COUNTERS 32
#define ZWD_LIVE_BUCKETS 40
#define ZWD_LIVE_LEARNED (UINT64_MAX - 1) /* of min_len: it is measured all the time */

/* Each number is written for itself, by any thread: none is torn, and they are not of one instant. */
struct zwd_live_dir {
	uint64_t counters[ZWD_LIVE_COUNTERS]; /* by enum zwd_counter */
	uint64_t latencies[ZWD_LIVE_BUCKETS]; /* requests by the power of two of their nanoseconds */
	uint64_t ns_sum;		      /* nanoseconds of all requests */
	uint64_t min_len;		      /* as in struct zwd_dir_choice, or ZWD_LIVE_LEARNED */
	uint64_t min_len_fast;
	uint64_t spare[5];
};

/*
 * A reader takes nothing whose magic or version it does not know. size may be more than the reader's own: later
 * versions of the library add at the end, or where something is spare; a member that means something else than
 * it did makes another version.
 */
struct zwd_live {
	char magic[8]; /* ZWD_LIVE_MAGIC, without its zero; the last to be written in a file */
	uint32_t version;
	uint32_t size;	      /* of this structure */
	uint32_t counters_nr; /* those that the library has */
	uint32_t page_len;    /* in a file: where the next one begins */
	/* In the object that is exported, 0 or where in the process the structure that counts now is. */
	uint64_t elsewhere;
	char library[16]; /* zwd_version() */
	/* These in files alone. */
	uint32_t pid;	/* 0: of several children of a process that had too many */
	uint32_t taken; /* the first page's: how many of the file's were taken */
	uint64_t begin_s; /* seconds since 1970 when the process, or the child, began to count */
	char program[64]; /* file name of the executable */
	uint64_t spare[16];
	struct zwd_live_dir dir[2]; /* deflate, inflate */
};
extern struct zwd_live zwd_live;

#ifdef __cplusplus
}
#endif
#endif

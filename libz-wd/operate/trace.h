/* SPDX-License-Identifier: Zlib */
/* ZWD_TRACE: records of calls, written to a file. What is in them is the caller's business. */
#ifndef ZWD_TRACE_H
#define ZWD_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Every entry looks at it: what is not ON goes on by its shortest way. */
enum { ZWD_TRACE_OFF, ZWD_TRACE_ON, ZWD_TRACE_ASK /* not known before the first stream */ };
extern unsigned char zwd_trace_state __attribute__((visibility("hidden")));

/* Opens the file of the settings, which says what zlib is underneath; the state is then ON or OFF.
 */
void zwd_trace_begin(const char *setting, const char *underneath);

/* Are contents wanted? */
bool zwd_trace_has_data(void);

/* Nanoseconds since the file was begun. */
uint64_t zwd_trace_clock(void);

/* The kernel's number of the calling thread. */
unsigned int zwd_trace_thread(void);

/*
 * One record, whose kind and contents these are, with one write. No lock is taken and nothing is
 * allocated: a signal handler or a child of any kind may come in between. What cannot be written is
 * counted, and nothing is written behind it.
 */
#define ZWD_TRACE_IOV 6 /* pieces at most; the first is the caller's to leave empty */
void zwd_trace_put(struct iovec *iov, int nr);

/* Numbers of a record: bytes of 7 bits, the lowest first, all but the last with the upper bit set.
 */
static inline unsigned char *zwd_trace_number(unsigned char *at, uint64_t value)
{
	for (; value >= 128; value >>= 7)
		*at++ = (unsigned char)(value | 128);
	*at++ = (unsigned char)value;
	return at;
}

/* One that may be negative: the sign is its lowest bit. */
static inline unsigned char *zwd_trace_signed(unsigned char *at, int64_t value)
{
	return zwd_trace_number(at, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

enum zwd_trace_loss {
	ZWD_TRACE_FULL,	  /* no space, a quota, or a limit of file size */
	ZWD_TRACE_CLOSED, /* the program closed the descriptor, and may use its number */
	ZWD_TRACE_ROOT,	  /* a child's file would lie under another root folder */
	ZWD_TRACE_ERROR,
	ZWD_TRACE_LOSSES
};

/* Calls of this process that were recorded, and those that were not, by reason; false: it was never
 * on. */
bool zwd_trace_counts(uint64_t *written, uint64_t lost[ZWD_TRACE_LOSSES]);
const char *zwd_trace_loss_name(enum zwd_trace_loss loss);

#endif

/* SPDX-License-Identifier: Zlib */
/*
 * Who does the body of a stream: deflate blocks between header and trailer. Three engines behind one
 * signature; none knows of another, and what they have in common is 32 KiB of plain text.
 *
 *	serial		a unit at a time on a device, waited for; the first of a segment may go on from the
 *			context of the one before
 *	parallel	units that depend on nothing, in flight side by side
 *	soft		a raw stream of the real zlib
 */
#ifndef ZWD_DEFLATE_BODY_H
#define ZWD_DEFLATE_BODY_H

#include "stream/zstream.h"

/* What run() says; else -errno: the engine cannot go on, and what it did not do is as it was. */
enum {
	ZWD_BODY_ROOM, /* the caller's room ended first, or what waits has to go before */
	ZWD_BODY_DONE, /* all input is taken; with a flush: it is compressed up to there */
	ZWD_BODY_LOST, /* the device loses to software: it is to be asked who goes on */
	ZWD_BODY_OVER, /* a part is done after which another engine may go on */
};

struct zwd_body {
	/*
	 * Takes the input there is, compresses as much as flush asks for, and gives output to the caller or
	 * to what waits. Does not write flush points without data before them, nor the stream's end.
	 */
	int (*run)(z_streamp strm, struct zwd_stream *s, int flush);
	/*
	 * Brings it to rest: all that it accepted is output, or waits in the stream's own memory, and
	 * d->history are the last plain bytes. 0 or -errno; 1: that needs room, it is to be asked again.
	 * NULL, as the next: it is at rest after each call.
	 */
	int (*settle)(z_streamp strm, struct zwd_stream *s);
	/* Bytes and bits of output it has that are not the caller's yet. */
	void (*pending)(struct zwd_stream *s, unsigned int *bytes, int *bits);
	/* The same state in to's memory. Z_OK or Z_MEM_ERROR. */
	int (*copy)(struct zwd_stream *to, struct zwd_stream *from);
	/* Forgets all it has. */
	void (*drop)(struct zwd_stream *s);
};

extern const struct zwd_body zwd_body_serial __attribute__((visibility("hidden")));
extern const struct zwd_body zwd_body_parallel __attribute__((visibility("hidden")));
extern const struct zwd_body zwd_body_soft __attribute__((visibility("hidden")));

#endif

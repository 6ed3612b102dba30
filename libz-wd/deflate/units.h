/* SPDX-License-Identifier: Zlib */
/*
 * A segment cut into units: at fixed multiples from its beginning, whatever pieces the caller gives it in.
 * A full unit never ends it: the flush point is made, or the stream ended, by what follows.
 */
#ifndef ZWD_DEFLATE_UNITS_H
#define ZWD_DEFLATE_UNITS_H

#include "deflate/buffers.h"
#include "engine/unit.h"
#include "operate/settings.h"

/* Bytes of a full one. */
static inline size_t zwd_units_len(const struct zwd_stream *s)
{
	size_t len = zwd_settings()->unit;

	return s->is_custom && len > ZWD_GATHER_LEN ? ZWD_GATHER_LEN : len;
}

/*
 * The next unit, in one piece: the caller's input, or what was gathered (*is_gathered). 1: *unit, of which
 * check is that of what was gathered; 0: there is none, all input at hand is gathered, or none is left;
 * -ENOMEM.
 */
int zwd_units_next(z_streamp strm, struct zwd_stream *s, int flush, struct zwd_unit *unit,
		   int *is_gathered);

/* It was sent, or done; check is right now. */
void zwd_units_commit(z_streamp strm, struct zwd_stream *s, const struct zwd_unit *unit,
		      int is_gathered);

/* What comes next depends on nothing before it. */
void zwd_units_cut(struct zwd_deflate *d);

/* Bytes that are accepted, not sent yet. */
static inline size_t zwd_units_waiting(const struct zwd_deflate *d)
{
	size_t len;

	zwd_deflate_gathered(d, &len);
	return len;
}

#endif

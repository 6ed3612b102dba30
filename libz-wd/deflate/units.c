/* SPDX-License-Identifier: Zlib */
/* A segment cut into units: at fixed multiples from its beginning, whatever pieces the caller gives it in. */
#include "config.h"

#include <stdlib.h>

#include "deflate/units.h"

int zwd_units_next(z_streamp strm, struct zwd_stream *s, int flush, struct zwd_unit *unit,
		   int *is_gathered)
{
	struct zwd_deflate *d = &s->d;
	size_t waiting = zwd_units_waiting(d), left = waiting + strm->avail_in;
	size_t len = zwd_units_len(s);
	int is_full = left >= len, ret = 0;

	if (!is_full && flush == Z_NO_FLUSH)
		return zwd_deflate_gather(strm, s, len);
	if (!left || d->is_finishing)
		return 0;
	if (!is_full)
		len = left;
	if (waiting)
		ret = zwd_deflate_gather(strm, s, len);
	if (ret)
		return ret;
	*is_gathered = waiting != 0;
	/* One by one: what comes later of a unit need not be cleared. */
	unit->in = waiting ? zwd_deflate_gathered(d, &len) : strm->next_in;
	unit->len = len;
	unit->room = NULL;
	unit->wrap = d->wrap;
	unit->window_bits = abs(d->window_bits) & 15;
	unit->is_continued = !d->seg_len && d->ctx_len;
	unit->chain.before = unit->is_continued ? d->chain_before : d->sent_check;
	unit->chain.len = unit->is_continued ? d->chain_len : 0;
	unit->check = d->check;
	unit->is_last = !is_full && flush == Z_FINISH;
	unit->needs_marker = !is_full && flush != Z_FINISH;
	return 1;
}

void zwd_units_commit(z_streamp strm, struct zwd_stream *s, const struct zwd_unit *unit,
		      int is_gathered)
{
	struct zwd_deflate *d = &s->d;

	if (!d->seg_len)
		zwd_deflate_note_type(strm, unit->in, unit->len);
	zwd_deflate_remember(d, unit->in, unit->len);
	d->check = unit->check;
	d->sent_check = unit->check;
	d->seg_len += unit->len;
	/* Only the context of a segment that is one unit is handed on: others are done in any order. */
	d->ctx_len = 0;
	d->is_flushed = unit->needs_marker;
	d->is_finishing = unit->is_last;
	if (!is_gathered)
		zwd_deflate_accept(strm, d, unit->len);
}

void zwd_units_cut(struct zwd_deflate *d)
{
	d->ctx_len = 0;
	d->history_len = 0;
}

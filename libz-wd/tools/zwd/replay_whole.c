/* SPDX-License-Identifier: Zlib */
/* zwd replay: calls without a stream. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/replay_stream.h"
#include "tools/zwd/replay_whole.h"

/* Of a buffer for one call. */
#define BUFFER_MAX (1u << 30)

/* compress() and its kin. What fits depends on the engine, where the room is less than any engine
 * needs. */
void replay_compress(struct replay *replay, const struct trace_call *call)
{
	uint64_t room = (uint64_t)call->numbers[0], len = call->data_len;
	uLong bound = replay->stock->compressBound((uLong)len), made, back_len = (uLong)len;
	uint8_t *to, *back;
	int ret;

	if (!call->data || len != (uint64_t)call->numbers[2] || !replay->lib->compress2 ||
	    !replay->stock->uncompress2) {
		replay->skipped_nr[REPLAY_NO_DATA]++;
		return;
	}
	if (room > BUFFER_MAX)
		room = bound;
	to = malloc(room + 1);
	back = malloc(len + 1);
	if (to && back) {
		made = (uLong)room;
		ret = replay->lib->compress2(to, &made, call->data, (uLong)len,
					     (int)call->numbers[3]);
		replay->made_nr++;
		if (ret != call->ret &&
		    !(room < bound && (ret == Z_BUF_ERROR || call->ret == Z_BUF_ERROR)))
			replay_differs(replay, NULL, call, "recorded %s, now %s",
				       replay_return_name(call->ret), replay_return_name(ret));
		else if (ret == Z_OK && (replay->stock->uncompress2(back, &back_len, to, &made) ||
					 back_len != len || memcmp(back, call->data, len)))
			replay_differs(replay, NULL, call,
				       "what it made is something else when it is decoded");
	} else {
		replay->skipped_nr[REPLAY_TOO_LARGE]++;
	}
	free(to);
	free(back);
}

void replay_uncompress(struct replay *replay, const struct trace_call *call)
{
	uint64_t room = (uint64_t)call->numbers[0];
	uLong made = (uLong)room, taken = (uLong)call->data_len;
	uint8_t *to;
	int ret;

	if (!call->data || call->numbers[2] != (int64_t)call->data_len ||
	    !replay->lib->uncompress2) {
		replay->skipped_nr[REPLAY_NO_DATA]++;
		return;
	}
	to = room <= BUFFER_MAX && room <= replay->budget ? malloc(room + 1) : NULL;
	if (!to) {
		replay->skipped_nr[REPLAY_TOO_LARGE]++;
		return;
	}
	replay->budget -= room;
	ret = replay->lib->uncompress2(to, &made, call->data, &taken);
	replay->made_nr++;
	if (ret != call->ret)
		replay_differs(replay, NULL, call, "recorded %s, now %s",
			       replay_return_name(call->ret), replay_return_name(ret));
	else if (ret == Z_OK && (made != (uLong)call->numbers[1] ||
				 (made && replay->stock->crc32_z(0, to, made) != call->check)))
		replay_differs(replay, NULL, call, "%lu bytes, recorded %lld%s", made,
			       (long long)call->numbers[1],
			       made == (uLong)call->numbers[1] ? ", and they are others" : "");
	free(to);
}

void replay_checksum(struct replay *replay, const struct trace_call *call)
{
	const struct replay_lib *lib = replay->lib;
	bool is_crc = call->function == ZWD_CALL_crc32 || call->function == ZWD_CALL_crc32_z;
	const Bytef *data = call->numbers[1] < 0 ? NULL
			    : call->data	 ? call->data
						 : (const Bytef *)"";
	uLong sum = (uLong)call->numbers[0], now;

	if (data && (int64_t)call->data_len != call->numbers[1]) {
		replay->skipped_nr[REPLAY_NO_DATA]++;
		return;
	}
	if (!lib->crc32_z || !lib->adler32_z) {
		replay->skipped_nr[REPLAY_LACKS]++;
		return;
	}
	now = (is_crc ? lib->crc32_z : lib->adler32_z)(sum, data, data ? call->data_len : 0);
	replay->made_nr++;
	if (now != (uLong)call->ret)
		replay_differs(replay, NULL, call, "recorded %08llx, now %08lx",
			       (unsigned long long)call->ret, now);
}

void replay_combine(struct replay *replay, const struct trace_call *call)
{
	const struct replay_lib *lib = replay->lib;
	bool is_crc = call->function == ZWD_CALL_crc32_combine ||
		      call->function == ZWD_CALL_crc32_combine64;
	uLong now;

	if (!lib->crc32_combine || !lib->adler32_combine) {
		replay->skipped_nr[REPLAY_LACKS]++;
		return;
	}
	/* zlib's crc32_combine() never comes back from a length below 0. */
	if (call->numbers[2] < 0) {
		replay->skipped_nr[REPLAY_OTHER]++;
		return;
	}
	now = (is_crc ? lib->crc32_combine : lib->adler32_combine)(
		(uLong)call->numbers[0], (uLong)call->numbers[1], (z_off_t)call->numbers[2]);
	replay->made_nr++;
	if (now != (uLong)call->ret)
		replay_differs(replay, NULL, call, "recorded %08llx, now %08lx",
			       (unsigned long long)call->ret, now);
}

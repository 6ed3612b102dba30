/* SPDX-License-Identifier: Zlib */
/* zwd replay: calls without a stream. */
#ifndef ZWD_REPLAY_WHOLE_H
#define ZWD_REPLAY_WHOLE_H

#include "tools/zwd/replay_run.h"

void replay_compress(struct replay *replay, const struct trace_call *call);
void replay_uncompress(struct replay *replay, const struct trace_call *call);
/* crc32(), adler32(), and of two parts. */
void replay_checksum(struct replay *replay, const struct trace_call *call);
void replay_combine(struct replay *replay, const struct trace_call *call);

#endif

/* SPDX-License-Identifier: Zlib */
/* The calls of a trace, made again. */
#ifndef ZWD_REPLAY_RUN_H
#define ZWD_REPLAY_RUN_H

#include "tools/zwd/replay_lib.h"
#include "tools/zwd/trace_file.h"

/* Why calls were not made again. */
enum replay_skip {
	REPLAY_NO_DATA,	  /* what they worked on is not in the trace, and cannot be made up */
	REPLAY_NO_STREAM, /* of a stream that was opened before the trace began, or not here */
	REPLAY_GZ,	  /* of a file that is not in the trace */
	REPLAY_LACKS,	  /* the library has no such function */
	REPLAY_TOO_LARGE, /* more than is allowed here */
	REPLAY_OTHER,	  /* says nothing that could be compared */
	REPLAY_SKIPS
};
const char *replay_skip_words(enum replay_skip skip);

struct replay {
	const struct replay_lib *lib;
	const struct replay_lib *stock; /* what is compressed is decoded by this one */
	bool is_exact;			/* deflate's bytes are compared whoever made them */
	bool is_same; /* it is the engine that software's streams had: their bytes are compared, too
		       */
	bool is_quiet;
	uint64_t budget; /* bytes of output in all; what is left */

	uint64_t calls_nr, made_nr, streams_nr, differences_nr;
	uint64_t skipped_nr[REPLAY_SKIPS];
	uint64_t bytes_in, bytes_out, recorded_ns, ns;
};

/* All calls of the file; afterwards the file says whether it was sound. False: no memory. */
bool replay_run(struct replay *replay, struct trace_file *file);

#endif

/* SPDX-License-Identifier: Zlib */
/* What each stream of a trace was given, from one beginning of it to the next: gathered before it
 * is replayed. */
#ifndef ZWD_REPLAY_INPUT_H
#define ZWD_REPLAY_INPUT_H

#include "tools/zwd/trace_file.h"

struct replay_inputs;

/* NULL: no memory. The file is at its beginning again afterwards. */
struct replay_inputs *replay_inputs_gather(struct trace_file *file);
void replay_inputs_free(struct replay_inputs *inputs);

/* Does this call begin a stream, or begin it anew? */
bool replay_is_begin(const struct trace_call *call);

/*
 * Of the life that the nr-th call of the file begins: all of its input behind room for before
 * bytes, to be freed; made up where the trace has none, is_known tells. NULL: too much, or no
 * memory.
 */
uint8_t *replay_inputs_of(const struct replay_inputs *inputs, uint64_t nr, size_t before,
			  size_t *len, bool *is_known);

#endif

/* SPDX-License-Identifier: Zlib */
/*
 * A body on several engines: where the input at hand shows flush points it is cut there, and its parts are
 * read side by side, each as if it were a stream of its own. A part counts only when the one before it
 * ended exactly where it begins; then it is what serial requests would make, for it refers to nothing
 * before it. Otherwise it is forgotten, and so are those behind it.
 */
#ifndef ZWD_BODY_PARALLEL_H
#define ZWD_BODY_PARALLEL_H

#include "stream/zstream.h"

/*
 * Goes on with body serial, which waits for nothing: as far as parts at hand count. Body serial goes on
 * behind them, with what was not. Nothing is in flight when this returns.
 */
void zwd_parallel_run(z_streamp strm, struct zwd_stream *s);

#endif

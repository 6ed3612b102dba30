/* SPDX-License-Identifier: Zlib */
/* Calls that come out of the real zlib itself. */
#ifndef ZWD_INNER_H
#define ZWD_INNER_H

#include <stdbool.h>

#include "stream/object.h"
#include "stream/soft_zlib.h"

/*
 * From now on a stream that the real zlib opens for a caller of its own deflateInit_() or
 * inflateInit_() is its own. is_at_load: nothing keeps the process from changing the protection of
 * memory yet.
 */
void zwd_inner_watch(const struct zwd_object *object, const struct zwd_soft_zlib_ours *ours,
		     bool is_at_load);

/*
 * Another zlib, of which the program may take functions by dlsym(): its streams would come to the one
 * underneath, which knows none of them. It calls nobody but itself.
 */
void zwd_inner_part(const struct zwd_object *object, bool is_at_load);

/* Does this address of code lie in the zlib underneath? */
bool zwd_inner_has(const void *address);

enum zwd_inner { ZWD_INNER_DEFLATE, ZWD_INNER_INFLATE };

/*
 * The same for a call that came before there was anything to watch, and had it opened: is it the one that had the real
 * zlib's pointer bound? When in doubt it is, for what that makes is a stream of software.
 */
bool zwd_inner_is_first(enum zwd_inner what, const void *return_address);

#endif

/* SPDX-License-Identifier: Zlib */
/* Memory as servers have it: handed out from one block, never given back, and dropped all at once.
 */
#ifndef SOAK_POOL_H
#define SOAK_POOL_H

#include <stddef.h>
#include <zlib.h>

struct pool;

/* is_mapped: a mapping of its own, gone when it is dropped; else of malloc(). */
struct pool *pool_open(size_t len, int is_mapped);
/* What was in it is overwritten. NULL: nothing. */
void pool_drop(struct pool *pool);
/* Memory aligned to 8 and no more; NULL where the block is full. */
voidpf pool_alloc(voidpf pool, uInt items, uInt size);
void pool_free(voidpf pool, voidpf mem);

/* Streams come from it from their beginning on. */
void pool_lends(struct pool *pool, z_stream *strm);

#endif

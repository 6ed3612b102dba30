/* SPDX-License-Identifier: Zlib */
/* Memory as servers have it: handed out from one block, never given back, and dropped all at once.
 */
#include "config.h"
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct pool {
	size_t len, used; /* with this */
	int is_mapped;
};

struct pool *pool_open(size_t len, int is_mapped)
{
	struct pool *pool = is_mapped ? mmap(NULL, len, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
				      : malloc(len);

	if (!pool || pool == MAP_FAILED) {
		perror("pool_open");
		abort();
	}
	*pool = (struct pool){ .len = len, .used = sizeof(*pool), .is_mapped = is_mapped };
	return pool;
}

void pool_drop(struct pool *pool)
{
	size_t len;

	if (!pool)
		return;
	len = pool->len;
	if (pool->is_mapped) {
		munmap(pool, len);
		return;
	}
	memset(pool, 0x5a, pool->used);
	free(pool);
}

voidpf pool_alloc(voidpf opaque, uInt items, uInt size)
{
	struct pool *pool = opaque;
	/* 8 bytes beyond a multiple of 16. */
	size_t at = (pool->used + 15) / 16 * 16 + 8, len = (size_t)items * size;
	unsigned char *mem = (unsigned char *)pool + at;

	if (at + len > pool->len)
		return Z_NULL;
	pool->used = at + len;
	memset(mem, 0xa5, len);
	return mem;
}

void pool_free(voidpf pool, voidpf mem)
{
	(void)pool;
	(void)mem;
}

void pool_lends(struct pool *pool, z_stream *strm)
{
	strm->zalloc = pool_alloc;
	strm->zfree = pool_free;
	strm->opaque = pool;
}

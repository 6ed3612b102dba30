/* SPDX-License-Identifier: Zlib */
/* The round trips that the rows make: streams of several shapes, gz files and one-call functions.
 */
#ifndef TRIP_H
#define TRIP_H

#include <stddef.h>
#include <zlib.h>

#define PLAIN_LEN 3000000
extern unsigned char plain[PLAIN_LEN];

struct shape {
	const char *name;
	int window_bits, flush;
	size_t len, step; /* bytes in all, and for each call */
};
extern const struct shape shapes[];
#define SHAPES 6

/* A stream that is compressed and, as far as it has come out, decompressed and compared. */
struct pair {
	const struct shape *shape;
	z_stream deflate, inflate;
	size_t fed, checked;
	unsigned char packed[65536], back[65536];
};

/* zalloc and zfree as in z_stream; NULL: zlib's own. */
void pair_open_with(struct pair *p, const struct shape *shape, alloc_func zalloc, free_func zfree,
		    voidpf opaque);
void pair_open(struct pair *p, const struct shape *shape);
/* One call of deflate(), and as many of inflate() as its output asks for. */
void pair_step(struct pair *p);
void pair_half(struct pair *p);
void pair_finish(struct pair *p);
void pair_end(struct pair *p);

/* A pair of each shape. */
extern struct pair pairs[SHAPES];
void pairs_open(void);
void pairs_half(void);
void pairs_finish(void);

void trip_streams(void);
void trip_calls(void); /* compress(), uncompress(), checksums, zlibVersion() */
void trip_gz(void);    /* through a file without a name; leaves descriptors as they were */
void trip_quick(void); /* a small stream and the calls */
void trip_all(void);

/* Memory that is only ever taken: 8 bytes beyond a multiple of 16, filled with rubbish. */
struct pool {
	unsigned char *mem;
	size_t used, size;
	long left; /* so many allocations; the next gets NULL */
	long nr;
};
void pool_open(struct pool *pool, size_t size);
voidpf pool_alloc(voidpf pool, uInt items, uInt size);
void pool_free(voidpf pool, voidpf mem);

#endif

/* SPDX-License-Identifier: Zlib */
/* Memory in zlib's sizes, kept for the next stream: what a stream gets whose caller names no zalloc. */
#ifndef ZWD_CACHE_H
#define ZWD_CACHE_H

#include "stream/soft_zlib.h"

/* zalloc and zfree. Any thread, and either side of a fork; nobody waits. */
voidpf zwd_cache_alloc(voidpf opaque, uInt items, uInt size);
void zwd_cache_free(voidpf opaque, voidpf mem);

#endif

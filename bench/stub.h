/* SPDX-License-Identifier: Zlib */
/* A device that works inside the doorbell, in the caller's thread: what is left is the caller's. */
#ifndef STUB_H
#define STUB_H

#include <stdint.h>

#define STUB_DEVICE "stub-0"

/*
 * Before the first queue: requests will end as they are, and the device looks at its doorbell when
 * stub_poll() is called.
 */
void stub_set_null(void);
void stub_poll(void);

/* CPU time spent inside the device so far. */
uint64_t stub_cpu_ns(void);

/* The engine by itself: compresses as one request would, with its checksum. Bytes, or -errno. */
int stub_inline(const uint8_t *src, uint32_t src_len, uint8_t *dst, uint32_t dst_len);

#endif

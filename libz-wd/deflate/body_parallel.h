/* SPDX-License-Identifier: Zlib */
/* What was sent side by side and is still to be delivered, whoever has the body now. */
#ifndef ZWD_DEFLATE_BODY_PARALLEL_H
#define ZWD_DEFLATE_BODY_PARALLEL_H

#include "stream/zstream.h"

/* Is anything on its way, or waiting for room? */
int zwd_body_parallel_has_sent(const struct zwd_deflate *d);

/* Gives all of it to the caller that there is room for. 0 or -ENOMEM. */
int zwd_body_parallel_deliver(z_streamp strm, struct zwd_deflate *d);

#endif

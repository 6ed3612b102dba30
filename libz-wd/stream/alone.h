/* SPDX-License-Identifier: Zlib */
/* What needs no zlib underneath: pure functions, and their place in its table while there is none. */
#ifndef ZWD_ALONE_H
#define ZWD_ALONE_H

#include "stream/soft_zlib.h"

/* Puts them where the table has nothing. */
void zwd_alone_fill(struct zwd_soft_zlib *table);

#endif

/* SPDX-License-Identifier: Zlib */
/* The gz functions, and those without a stream, while they are recorded. */
#ifndef ZWD_TRACED_GZ_H
#define ZWD_TRACED_GZ_H

/* Puts them into the table. */
void zwd_traced_gz_fill(void);

#endif

/* SPDX-License-Identifier: Zlib */
/* The system's zlib beside ours. */
#ifndef FUZZ_STOCK_H
#define FUZZ_STOCK_H

#include "zlib_api.h"

extern struct zlib_api stock;
void stock_open(void);

#endif

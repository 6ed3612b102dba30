/* SPDX-License-Identifier: Zlib */
/* The system's zlib beside ours. */
#include "config.h"
#include "driver.h"
#include "stock.h"

struct zlib_api stock;

void stock_open(void)
{
	const char *error = zlib_api_open(&stock);

	check(!error, "%s", error);
}

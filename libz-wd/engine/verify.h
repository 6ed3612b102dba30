/* SPDX-License-Identifier: Zlib */
/* ZWD_VERIFY: a device's output is inflated and compared before anybody sees it. */
#ifndef ZWD_VERIFY_H
#define ZWD_VERIFY_H

#include <stddef.h>

/* Is this unit, of all the process's, one to verify? */
int zwd_verify_is_due(void);

/*
 * Do the deflate blocks of out give plain again, with history before them, and end where a unit has to:
 * with the stream's last block (is_last), else between two blocks at a byte? 0; -EBADMSG: no; -ENOMEM.
 */
int zwd_verify_unit(const unsigned char *out, size_t out_len, const unsigned char *plain,
		    size_t plain_len, int is_last, const unsigned char *history, size_t history_len);

#endif

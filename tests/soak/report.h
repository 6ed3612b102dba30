/* SPDX-License-Identifier: Zlib */
/* What is told of the rounds: a line a minute, and tables at the end. */
#ifndef SOAK_REPORT_H
#define SOAK_REPORT_H

#include "settings.h"
#include "watch.h"

/* A round is in these numbers when it has ended. */
void report_round(enum soak_mode mode, const struct soak_share *share, const struct watch *w,
		  int is_failed, int is_growing);
/* The line, of what was and of the round that runs, where a minute has passed since the last one.
 */
void report_minute(double now_s, const struct soak_share *share, const struct watch *w);
void report_tables(double now_s);

#endif

/* SPDX-License-Identifier: Zlib */
/* The process of a round. */
#ifndef SOAK_WORKER_H
#define SOAK_WORKER_H

#include "soak.h"

/* Threads take turns of the patterns (a bit each) for so long. The process's exit status. */
int soak_work(struct soak_share *share, uint64_t seed, double round_s, uint32_t patterns);

#endif

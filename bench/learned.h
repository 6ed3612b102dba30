/* SPDX-License-Identifier: Zlib */
/* The learned policy on a virtual clock: modelled software and devices, a fixed seed. */
#ifndef LEARNED_H
#define LEARNED_H

#include <stdio.h>

/*
 * Every kind of work, device, and size from 256 bytes to 1 MiB, each alone and all mixed: the time
 * the policy takes after its first 100 calls, over that of the better of software and device.
 * Returns the worst; prints the table where out is not NULL.
 */
double learned_worst(FILE *out);

/* Calls until it left a device that turned slow, and came back when that was over. */
void learned_adapt(double slower, unsigned int *leave_nr, unsigned int *return_nr);

#endif

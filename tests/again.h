/* SPDX-License-Identifier: Zlib */
/* A test program that runs itself again, in a process of its own: settings are read once in a
 * process. */
#ifndef AGAIN_H
#define AGAIN_H

#include "helpers.h"

/* ZWD_TEST_LONG: all combinations, where else a part of them is tried. */
int test_is_long(void);

/*
 * Executes this program with "again" and args (NULL at the end) and, beside its own environment,
 * these settings ("NAME=value", NULL at the end). What it prints is added to out. Returns its wait
 * status.
 */
int run_again(const char *const *settings, const char *const *args, struct buf *out);

/* What such a process runs, as a test: what fails is told. To be returned by main(). */
int again_as_test(const char *name, CMUnitTestFunction run, void *state);

/* Is this process such a one? Then argv[2] and so on are args. */
int is_again(int argc, char **argv);

/*
 * The same test on a device whose faults go on to the last stream; those of mode fault end with one that is gone
 * for good. 0: it passed.
 */
int again_with_faults_without_end(void);

#endif

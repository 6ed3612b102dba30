/* SPDX-License-Identifier: Zlib */
/* What zlib.h promises, a check each. */
#ifndef ZWD_SELFTEST_CHECKS_H
#define ZWD_SELFTEST_CHECKS_H

#include "tools/zwd/replay_lib.h"

#define SELFTEST_WORDS 240

struct selftest_check {
	const char *name;
	const char *does;
	/* Empty words: all is well. */
	void (*run)(const struct replay_lib *lib, char words[SELFTEST_WORDS]);
};

/* The last one has no name. */
extern const struct selftest_check selftest_checks[];

#endif

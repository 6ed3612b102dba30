/* SPDX-License-Identifier: Zlib */
/* zwd tune: what a call costs in software and on the device, by turns. */
#ifndef ZWD_TUNE_MEASURE_H
#define ZWD_TUNE_MEASURE_H

#include "tools/zwd/replay_lib.h"
#include "tools/zwd/tune_choice.h"

struct input;

struct tune {
	const struct input *input;
	struct replay_lib soft, device; /* device: a libz-wd that gives a device all there is */
	unsigned int repeats_nr;
	uint64_t batch_ns; /* of a repeat, about */
	bool is_short;	   /* no large sizes */
	bool is_shown;	   /* how far it is */
};

/*
 * Sizes that the input has data for. 0; -ENOMEM; -EIO: the device did not do it; -EBADMSG: a result
 * is wrong; -ENODATA: there is no size that it has data for.
 */
int tune_measure(struct tune *tune, struct tune_work *work);

#endif

/* SPDX-License-Identifier: Zlib */
/* One cell of the table: both sides by turns, every output checked. */
#ifndef MEASURE_H
#define MEASURE_H

#include <signal.h>

#include "codec.h"
#include "input.h"
#include "table.h"

struct measure_cfg {
	const struct codec_ops *device_ops;
	struct codec_cfg codec; /* direction and level are the cell's */
	unsigned int threads_nr;
	unsigned int trials_nr; /* 0: as many as fit into seconds, 3 to 10000 */
	double seconds;
};

/* Set by a signal handler: the cell ends after the trial that is running. */
extern volatile sig_atomic_t measure_stop;

/*
 * Fills row, whose size, level and direction are set. row->trials_nr stays 0 when the cell was
 * stopped before its first trial; row->failure says what went wrong. Returns 0, or -errno when
 * there was no start.
 */
int measure_cell(const struct measure_cfg *cfg, const struct input *input, struct table_row *row);

#endif

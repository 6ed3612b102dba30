/* SPDX-License-Identifier: Zlib */
/* The level at which zlib's output is about as long as the device's. */
#ifndef EQUAL_H
#define EQUAL_H

#include "measure.h"

/* 1 to 9, whose size is nearest to the device's over units of this size; or -errno. */
int equal_level(const struct measure_cfg *cfg, const struct input *input, size_t size);

#endif

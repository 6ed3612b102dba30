/* SPDX-License-Identifier: Zlib */
/* Text as users write it. */
#ifndef FUZZ_SETTINGS_MAKE_H
#define FUZZ_SETTINGS_MAKE_H

#include "../driver.h"
#include "buf.h"

/* All names but the last, ZWD_LOG. */
#define SETTINGS_NR 16

__attribute__((format(printf, 2, 3))) void text_put(struct buf *out, const char *format, ...);

/* One byte says what it is: a specification, options, or else a settings file with an environment.
 */
size_t settings_make(struct random *r, uint8_t *data, size_t room);

#endif

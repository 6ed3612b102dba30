/* SPDX-License-Identifier: Zlib */
/* What can be known of a device without opening it, and whether one may still be opened. */
#ifndef ZWD_PRESENCE_H
#define ZWD_PRESENCE_H

/* At load, for this device specification. */
void zwd_presence_prepare(const char *device);
/* Later, when nobody else does: for a process that changed its environment, or had no zlib at load. */
void zwd_presence_prepare_late(const char *device);
/* The latter was done. */
int zwd_presence_is_prepared(void);

int zwd_presence_is_some(void);
int zwd_presence_is_none(void); /* else it is not known */
/* No device from here on: the process locked itself up, or is not fit for one. */
void zwd_presence_end(void);
/* May one be opened for the first time, as far as filters of system calls go? */
int zwd_presence_may_open(void);

#endif

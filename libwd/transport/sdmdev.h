/* SPDX-License-Identifier: Zlib */
/* Queues of sdmdev in sysfs. */
#ifndef WD_TRANSPORT_SDMDEV_H
#define WD_TRANSPORT_SDMDEV_H

/* Is this the name of a queue in its parent's folder? */
int sdmdev_is_uuid(const char *name);
/* The number of its VFIO group: /dev/vfio/N. -ENOENT: it has none yet. */
int sdmdev_group(const char *parent, const char *uuid);

#endif

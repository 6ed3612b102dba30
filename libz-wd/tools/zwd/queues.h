/* SPDX-License-Identifier: Zlib */
/* zwd queues: makes the queues of sdmdev's devices and hands them to a group of users. */
#ifndef ZWD_QUEUES_H
#define ZWD_QUEUES_H

#include <sys/types.h>

#define QUEUES_GROUP "wd"
#define QUEUES_COUNT 8 /* of each device, where nothing else is said */
#define QUEUES_UUID_LEN 36

/* Where it works; a test has a tree of its own. */
struct queues_system {
	const char *root; /* before /sys and /dev */
	gid_t gid;	  /* whose the queues become */
	int (*write)(const char *path, const char *text); /* 0 or -errno */
	void (*pause)(void); /* a moment, while the kernel works */
};
extern struct queues_system queues_system;

/*
 * The name of a device's queue: the upper 60 bits of the FNV-1a hash (64 bits) of the device's name,
 * then the index, as a UUID of version 8.
 */
void queues_uuid(const char *parent, unsigned int index, char uuid[QUEUES_UUID_LEN + 1]);

/* command: "create", "list" or "remove"; parent: NULL is every device. Exit status. */
int queues_run(const char *command, const char *parent, unsigned int count);

#endif

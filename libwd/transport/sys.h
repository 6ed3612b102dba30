/* SPDX-License-Identifier: Zlib */
/* The system calls that transports to hardware make: the tests put a kernel of their own there. */
#ifndef WD_SYS_H
#define WD_SYS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What two descriptors of the same file have in common, and others hardly. */
struct wd_sys_identity {
	uint64_t dev, ino, rdev;
	char kind[32]; /* of those without a name, which share an inode; "": not known */
};

/* All return -errno on failure and leave errno as it was. */
struct wd_sys {
	int (*open)(const char *path, int flags);
	int (*close)(int fd);
	int (*identity)(int fd, struct wd_sys_identity *identity);
	int (*ioctl)(int fd, unsigned long cmd, void *arg);
	/* Shared memory of a device. prot: PROT_*. */
	int (*map)(int fd, uint64_t off, size_t len, int prot, void **mem);
	int (*unmap)(void *mem, size_t len);
	int (*poll)(struct pollfd *fds, unsigned int nr, int timeout_ms);
	int (*eventfd)(void);
	/* An attribute in sysfs, without the blanks at its end. */
	int (*read)(const char *path, char *text, size_t text_len);
	int (*readlink)(const char *path, char *text, size_t text_len);
	int (*access)(const char *path, int mode);
	/* Names in a folder, sorted, that end with an empty one; the caller frees them. How many. */
	int (*names)(const char *path, char **names);
	/* The NUMA node that the calling thread runs on just now. */
	int (*node)(void);
};

extern const struct wd_sys wd_sys_linux;
extern const struct wd_sys *wd_sys;

struct wd_device_info;

/* 0: there is no such folder of sysfs. */
int wd_sys_exists(const char *folder);

/*
 * What a transport has in this folder of sysfs, of which the first nr are put into info. describe: 1,
 * it is a device that libwd may know what to do with. How many there are, or -ENOMEM.
 */
int wd_sys_list(const char *folder, int (*describe)(const char *name, struct wd_device_info *info),
		struct wd_device_info *info, unsigned int nr);

/* An attribute that is a number: *value is untouched where there is none. 0 or -errno. */
int wd_sys_number(const char *path, long long *value);

/*
 * Of the words in text, with blanks or newlines between them, those that are algorithms of a ZIP
 * engine, with a blank between them.
 */
void wd_sys_algs(char *text, char *algs, size_t algs_len);

#endif

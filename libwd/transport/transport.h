/* SPDX-License-Identifier: Zlib */
/* How libwd reaches a device: opening, regions, memory sharing, waiting. One struct per road. */
#ifndef WD_TRANSPORT_H
#define WD_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>
#include "wd.h"

/* What a started queue consists of. */
struct wd_regions {
	void *mmio; /* doorbells */
	size_t mmio_len;
	void *mem; /* rings and status words, zeroed, not inherited over fork */
	size_t mem_len;
	unsigned int depth;  /* of both rings */
	unsigned int number; /* of the queue, for doorbells */
	int is_mediated;     /* submit() and reap() stand between these rings and the device's */
	int is_private;	     /* memory of the device's other queues is not this one's */
	int is_on_cpu;	     /* what the device computes takes a CPU of the program's */
};

struct wd_transport {
	char name[8];
	int is_emulated; /* chosen by the word "emu" only, never by "auto" */

	/* Are these options of the emulated device? 0 or -EINVAL; NULL: there are no options. */
	int (*check)(const char *options);
	/*
	 * Early: finds what opening a device would otherwise look for by name. 0: there will be no
	 * device. options: as list() takes them.
	 */
	int (*prepare)(const char *options);
	/*
	 * Fills info[0..nr-1]; returns how many devices there are. options: of the emulated device;
	 * NULL for the others.
	 */
	int (*list)(const char *options, struct wd_device_info *info, unsigned int nr);
	/*
	 * Of a device that seems to be usable: opens it and closes it again, where only that tells, and
	 * refuses it (wd_info_refuse()) if it could not be opened. NULL: list() knows all there is.
	 */
	void (*try)(struct wd_device_info *info);

	/* Opens the device that list() called info->name; one handle for all its queues. */
	int (*dev_open)(const struct wd_device_info *info, void **dev);
	void (*dev_close)(void *dev);

	/* Starts a queue. -EBUSY: none is free. */
	int (*open)(void *dev, enum wd_op_type op_type, void **tq, struct wd_regions *regions);
	/*
	 * Drains the queue: on return the device touches neither its regions nor any memory its
	 * requests named. Only memory is given back after it, then comes close().
	 */
	void (*stop)(void *tq);
	/* Unmaps the regions of a stopped queue and frees the handle. */
	void (*close)(void *tq, const struct wd_regions *regions);
	/* Frees a handle inherited over fork; its queue and its regions are the parent's. */
	void (*forget)(void *tq);

	/* A descriptor that is readable after completions, once armed. -EOPNOTSUPP: there is none. */
	int (*event)(void *tq);
	/* Comes before the doorbell that arms the event: what was signaled until then is old. NULL. */
	void (*arm)(void *tq);
	/*
	 * Sleeps until a completion came after the queue was armed: 0, -ETIMEDOUT, -ENODEV, -EIO;
	 * -EPERM: a sandbox refuses the system calls that this takes.
	 */
	int (*wait)(void *tq, unsigned int timeout_ms);
	/* Called after each doorbell store; NULL where the store is enough. */
	void (*doorbell)(void *tq, uint64_t value);
	/*
	 * An emulated device may let a thread that waits do the device's work: doorbell_quiet() is a
	 * doorbell that wakes nothing, and the same thread's help() after it runs a request or wakes
	 * what will. NULL: it cannot.
	 */
	void (*doorbell_quiet)(void *tq, uint64_t value);
	void (*help)(void *tq);
	/*
	 * Of mediated queues, else NULL: submit() comes in place of doorbell(), and hands on the
	 * entries that a submission doorbell announces; reap() fills in what finished, as the device
	 * would, and returns whether there was any.
	 */
	void (*submit)(void *tq, uint64_t value);
	int (*reap)(void *tq);
	enum wd_state (*state)(void *tq, unsigned int *generation);

	/*
	 * Lets the device reach memory of ours. flags: WD_SHARE_READ. -EOPNOTSUPP: it cannot. What a
	 * queue shared is taken back by the same queue.
	 */
	int (*share)(void *tq, const void *mem, size_t len, int flags, uint64_t *addr);
	void (*unshare)(void *tq, uint64_t addr, size_t len);
	/* The whole address space, device address = ours. -EOPNOTSUPP; NULL: it cannot. */
	int (*share_all)(void *tq);
	void (*unshare_all)(void *tq);
	/* Zeroed memory of the device's own kind, for where share() cannot. -EOPNOTSUPP; NULL. */
	int (*alloc)(void *tq, size_t len, void **mem, uint64_t *addr);
	void (*free)(void *tq, void *mem, size_t len);

	/* Around fork(); NULL: nothing to do. */
	void (*fork_prepare)(void);
	void (*fork_parent)(void);
	/*
	 * First of all in a child: the parent's device handles are void then. Where the child was not
	 * made by fork(), locks may be held by threads that are not there, and what they guard half
	 * changed. is_sound: wd_lock was not.
	 */
	void (*forget_all)(int is_sound);
};

/* It cannot be used, and why: the first reason stays. error: what opening it fails with. */
void __attribute__((format(printf, 3, 4)))
wd_info_refuse(struct wd_device_info *info, int error, const char *format, ...);

/* In the order of "auto"; NULL ends the table. */
extern const struct wd_transport *const wd_transports[];

extern const struct wd_transport wd_transport_emu;
extern const struct wd_transport wd_transport_sdmdev;
extern const struct wd_transport wd_transport_uacce;

#endif

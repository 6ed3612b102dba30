/* SPDX-License-Identifier: Zlib */
/* libwd: queues of an accelerator in shared memory. See wd(7) and wd_queue(3). */
#ifndef WDQ_WD_H
#define WDQ_WD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Every function returns 0 or a count on success and -errno on failure; out-parameters are
 * untouched on failure. None of them prints or changes errno.
 *
 * A queue belongs to one thread at a time: two threads may use two queues at once, and one queue
 * one after the other, but never the same queue at the same time. Listing and opening are safe
 * from any thread. A queue opened with WD_QUEUE_SHARED belongs to all threads: wd_call(), memory,
 * state and info may be used by any of them at once; sending and receiving by other functions is
 * not for it.
 *
 * After fork() the parent's queues go on; in the child, however it was made, they are dead: every
 * call on them but wd_release_queue() returns -ENODEV. New queues work there. Where the child was
 * not made by fork(), and a thread of the parent was in libwd at that moment, memory of that
 * moment's may be lost to the child.
 *
 * No thread is cancelled inside. Waiting is measured by CLOCK_MONOTONIC, and signals neither end nor
 * prolong it. A queue that is open on an emulated device needs nothing of the system but futexes and
 * time, for all but opening, closing, memory and wd_queue_fd().
 */

#define WD_NAME_LEN 256
#define WD_ALGS_LEN 64
#define WD_REASON_LEN 160

/* What a device can be asked for. */
enum wd_op_type {
	WD_OP_COMPRESS,
	WD_OP_DECOMPRESS,
};

struct wd_device_info {
	char name[WD_NAME_LEN];	     /* as wd_queue_attr.device and WD_DEVICE take it */
	char transport[16];	     /* "sdmdev", "uacce", "emu" */
	char api[32];		     /* what the queue speaks: "hisi_qm_v2" */
	char algs[WD_ALGS_LEN];	     /* "zlib gzip deflate" */
	char engine[32];	     /* emulated: what computes, "isal", "zlib", "null"; else "" */
	int numa_node;		     /* -1: not known */
	unsigned int engines;	     /* how many requests are worked on at once; 0: not known */
	unsigned int queues_total;
	unsigned int queues_free;
	unsigned int max_len;	     /* bytes of input, and of output, in one request */
	int is_emulated;
	/*
	 * How memory is reached: "single", "multi", "svm", "mediated" (sdmdev), "sva", "iommu", "noiommu"
	 * (uacce); "": emulated, or not known.
	 */
	char mode[16];
	int error;	   /* 0; or the device cannot be used, and this is what opening it fails with */
	char reason[WD_REASON_LEN]; /* in words, then; else "" */
};

/*
 * Fills info[0..nr-1] with the devices that spec selects, in order of preference: as spec has them, and
 * where that names several at once those first that are nearest to the CPU of the calling thread. Those
 * that cannot be used come last. Of uacce's devices each is opened for a moment, for only that tells.
 * spec: as WD_DEVICE ("auto", "none", "emu[:opt=v,...]", a name; a comma list is a preference);
 *	NULL takes the environment's WD_DEVICE (ignored in set-uid programs), "auto" without one.
 * Returns the number of devices, which may be larger than nr; -EINVAL: spec is not understood.
 */
int wd_list_devices(const char *spec, struct wd_device_info *info, unsigned int nr);

/*
 * Does early, as at a program's start, what opening a queue would else do late and by name: finds the
 * library with which an emulated device of spec computes, looks whether the system has devices of
 * the other kinds, and remembers the process's root. After chroot() nothing of that is looked for by
 * name any more; a library that the program has mapped is still found. Opens no queue, makes no
 * thread, keeps no descriptor; any thread, any number of times. spec: as above.
 * Returns how many kinds ("sdmdev", "uacce", "emu") spec names that may have a device; 0: there is none
 * and there will be none before the system is told of a driver; -EINVAL: spec is not understood.
 */
int wd_prepare(const char *spec);

/*
 * The number of this copy of the program's memory: each child has another one than the process it
 * was made from, whether by fork() or in a way that calls no handlers; threads and children that
 * share the memory have the same. Never 0. Two loads, but for the first call in a process; any
 * thread, at any time. Where the kernel has no MADV_WIPEONFORK, only fork() changes it.
 */
unsigned int wd_generation(void);

struct wd_queue;

#define WD_QUEUE_SHARED 0x1 /* of many threads, by wd_call() */

struct wd_queue_attr {
	const char *device;	  /* spec as above */
	const char *alg;	  /* "zlib", "gzip", "deflate"; NULL: any */
	enum wd_op_type op_type;
	int numa_node;		  /* 0 or more: devices of that node first; -1: the calling thread's */
	unsigned int depth;	  /* requests in flight at most; 0: the device's own */
	unsigned int spin_us;	  /* how long a wait polls before it sleeps; 0: default */
	unsigned int flags;	  /* WD_QUEUE_* */
};

/*
 * Opens a queue on the first device of attr->device, as wd_list_devices() orders them, that has one free
 * and speaks attr->alg: a device whose queues are taken leaves it to the next.
 * -ENODEV: no such device; -EBUSY: all queues are taken; -EOPNOTSUPP: no device knows alg, or libwd does
 * not know the device; -EPERM: its driver has isolated it, after errors of the hardware;
 * -EINVAL: attr is not understood; -EACCES, -ENOMEM, -EAGAIN (no thread can be made): as the system
 * said.
 * May block while the kernel starts the queue.
 */
int wd_request_queue(const struct wd_queue_attr *attr, struct wd_queue **queue);

/*
 * Stops the queue, waits until the device touches its memory no more, and frees it and all memory
 * from wd_alloc(). Requests still in flight are lost. NULL is fine.
 */
void wd_release_queue(struct wd_queue *queue);

/* The device behind the queue. */
void wd_queue_info(const struct wd_queue *queue, struct wd_device_info *info);

enum wd_state {
	WD_STATE_OK,
	WD_STATE_RESETTING, /* requests in flight are lost; open a new queue, after a while */
	WD_STATE_DEAD,	    /* device removed, or queue inherited over fork */
};

/* State of the queue; *generation (may be NULL) counts the device's resets. */
enum wd_state wd_queue_state(const struct wd_queue *queue, unsigned int *generation);

/*
 * Puts requests into the queue and rings the doorbell once. reqs: an array of nr requests of the
 * queue's device class (struct wd_zip_req). Their buffers and contexts belong to the device until
 * the result was received or the queue released.
 * Returns how many were taken, 1 to nr: fewer than nr when the queue became full.
 * -EBUSY: full, none taken; -EINVAL: the first request is not possible (see wd_zip.h);
 * -EFAULT: an address of it is not shared; -EIO: the device is being reset; -ENODEV: it is gone.
 * Never blocks.
 */
int wd_send(struct wd_queue *queue, const void *reqs, unsigned int nr);

/*
 * Takes at most nr finished requests out of the queue, in the order they were sent. Returns how
 * many; -EAGAIN: none has finished; -EIO, -ENODEV: as above. Never blocks.
 */
int wd_recv(struct wd_queue *queue, void *results, unsigned int nr);

/*
 * The same, but waits until one has finished: polls for the queue's spin time, then sleeps.
 * timeout_ms: 0 or more milliseconds; UINT_MAX waits for ever. -EPERM: a sandbox refuses to let it wait
 * (emulated device). -ETIMEDOUT: none finished in time
 * (the request is still the device's; wd_release_queue() takes it back); -ENOENT: nothing is in
 * flight.
 */
int wd_recv_sync(struct wd_queue *queue, void *results, unsigned int nr, unsigned int timeout_ms);

/*
 * Sends one request and waits for its result: 0, with the result in *res, whatever its status is.
 * On a shared queue, any number of threads at once; a full queue is waited for. Otherwise nothing
 * else may be in flight (-EBUSY). timeout_ms as above, for this caller alone; after -ETIMEDOUT the
 * request, if it was sent, stays the device's, and its result is dropped on a shared queue.
 * Other errors as wd_send() and wd_recv_sync(). A small request of an emulated device that
 * has an idle engine is run by the calling thread, which then does not look at timeout_ms.
 */
int wd_call(struct wd_queue *queue, const void *req, void *res, unsigned int timeout_ms);

/* Tells the device how far results were taken, and arms the event of wd_queue_fd(). 0 or -errno. */
int wd_flush(struct wd_queue *queue);

/*
 * A file descriptor, readable when results arrived after wd_flush(); the queue's. But for uacce it is
 * made at the first call: -errno. -EOPNOTSUPP: there is none; -ENODEV: the device is gone, or the
 * program closed what the queue had open.
 */
int wd_queue_fd(const struct wd_queue *queue);

/* Requests sent and not yet received. */
unsigned int wd_queue_in_flight(const struct wd_queue *queue);

/*
 * Memory the device can reach: page-aligned, zero-filled. size: bytes. -ENOMEM, -ENODEV. Freed by
 * wd_free() or with the queue. A child inherits that of an emulated device, to read what lay there,
 * until it does the same; that of others is not mapped in a child.
 */
int wd_alloc(struct wd_queue *queue, size_t size, void **mem);
void wd_free(struct wd_queue *queue, void *mem);

#define WD_SHARE_ALL 0x1 /* the whole address space; addr and size are ignored */
#define WD_SHARE_READ 0x2 /* the device only reads it */

/*
 * Lets the device reach memory of the caller's until wd_mem_unshare() with the same arguments.
 * addr and size need no alignment. -EOPNOTSUPP: this device cannot, use wd_alloc();
 * -EEXIST: overlaps a range shared before, or a page of it was shared for reading only; -EFAULT: not
 * memory, or not writable; -ENOMEM: over a limit; -EINVAL; -ENODEV.
 */
int wd_mem_share(struct wd_queue *queue, const void *addr, size_t size, int flags);
void wd_mem_unshare(struct wd_queue *queue, const void *addr, size_t size);

/* CPU time and requests of the process's emulated devices: for benchmarks and statistics. */
struct wd_emu_stats {
	uint64_t cpu_ns;   /* CPU time of the device threads */
	uint64_t requests; /* executed, both directions */
	uint64_t helped;   /* of these, on the CPU time of a thread in wd_call() */
	uint64_t faults;   /* injected */
};
/* -ENODEV: no emulated device is open. */
int wd_emu_stats(struct wd_emu_stats *stats);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif

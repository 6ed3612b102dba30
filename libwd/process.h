/* SPDX-License-Identifier: Zlib */
/* The process as it may change under the library: by fork, in whatever way, chroot and cancellation. */
#ifndef WD_PROCESS_H
#define WD_PROCESS_H

#include <pthread.h>
#include "wd.h"

/* In a page that a child finds wiped. */
struct wd_birth {
	unsigned int generation; /* 0: nobody asked for it in this process yet; atomic */
	unsigned int is_busy;	 /* a thread is in wd_renew(); futex */
};
extern struct wd_birth *wd_birth;
extern unsigned int wd_renewed; /* the generation that the library's state is of; atomic */

/* Forgets what is the parent's, once in a child. */
void wd_renew(void);

/* Comes first in every function that uses state of the whole process. */
static inline void wd_enter(void)
{
	if (__builtin_expect(__atomic_load_n(&wd_renewed, __ATOMIC_ACQUIRE) !=
			     __atomic_load_n(&wd_birth->generation, __ATOMIC_RELAXED), 0))
		wd_renew();
}

/* Has this process, and no ancestor, made what bears this number of wd_generation()? */
static inline int wd_is_own(unsigned int generation)
{
	return __atomic_load_n(&wd_birth->generation, __ATOMIC_RELAXED) == generation;
}

/*
 * In a child: a lock that nobody holds. 1: nobody held it at the fork either; 0: a thread of the
 * parent did, so that what it guards may be half changed.
 */
int wd_lock_anew(pthread_mutex_t *lock);

/* Guards the list of devices. Taken before any wd_dev.lock. */
extern pthread_mutex_t wd_lock;

/* What has to be done around fork(), under wd_lock, and in a child that was made in whatever way. */
struct wd_fork_hooks {
	void (*prepare)(void);
	void (*parent)(void);
	void (*forget)(int is_sound); /* wd_lock was nobody's at the fork */
};
void wd_fork_hooks_set(const struct wd_fork_hooks *hooks);

/* 0, or -errno where the handlers of fork() cannot be had. */
int wd_fork_register(void);

/* The process's root as it was at the first call: 1 while it is still the same. */
int wd_root_is_known(void);

/*
 * No thread is cancelled between these two. The type as well: glibc, up to 2.36 at least, goes by that alone
 * when the signal of another thread's pthread_cancel() arrives, whatever state was set since that was sent.
 */
#define WD_WAS_ASYNC 0x100 /* beside any cancel state */

static inline int wd_cancel_off(void)
{
	int type, state;

	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return type == PTHREAD_CANCEL_ASYNCHRONOUS ? state | WD_WAS_ASYNC : state;
}

static inline void wd_cancel_as(int before)
{
	pthread_setcancelstate(before & ~WD_WAS_ASYNC, NULL);
	if (before & WD_WAS_ASYNC)
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
}

#endif

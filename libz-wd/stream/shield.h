/* SPDX-License-Identifier: Zlib */
/* What keeps a call from being left half-way, and from being entered twice by one thread. */
#ifndef ZWD_SHIELD_H
#define ZWD_SHIELD_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <wd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h> /* what pages point to is no leak */
#endif

/*
 * zlib is no cancellation point: nothing of libz-wd is one either. A shield is up while a queue or a
 * lock is held, and wherever a file is read or written; no function of the caller's is called
 * meanwhile, for it may never return. Shields nest; what is returned is for zwd_shield_down().
 */
#define ZWD_WAS_ASYNC 0x100 /* beside any cancel state */

/*
 * The half of it that is enough where each cancellation point has a shield of its own, and all that
 * helps against a thread that cancels this one just now: glibc, up to 2.36 at least, goes by the type
 * alone when its signal arrives, whatever state was set since that was sent.
 */
static inline int zwd_defer_cancel(void)
{
	int type;

	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	return __builtin_expect(type == PTHREAD_CANCEL_ASYNCHRONOUS, 0) ? ZWD_WAS_ASYNC : 0;
}

static inline void zwd_undefer_cancel(int was)
{
	if (__builtin_expect(was & ZWD_WAS_ASYNC, 0))
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
}

static inline int zwd_shield_up(void)
{
	int was = zwd_defer_cancel(), state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return was | state;
}

static inline void zwd_shield_down(int was)
{
	pthread_setcancelstate(was & ~ZWD_WAS_ASYNC, NULL);
	zwd_undefer_cancel(was);
}

/*
 * This thread is where locks of the process are held: a signal handler that comes in between has to do
 * without them, and without a device. Initial-exec: one instruction, and nothing is ever allocated.
 */
extern _Thread_local volatile int zwd_is_inside
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Around such a place, which does not nest; a shield is up. -EBUSY: this is a signal handler as told above. */
static inline int zwd_enter(void)
{
	if (__builtin_expect(zwd_is_inside, 0))
		return -EBUSY;
	zwd_is_inside = 1;
	atomic_signal_fence(memory_order_seq_cst);
	return 0;
}

static inline void zwd_leave(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	zwd_is_inside = 0;
}

/* The same with a shield of its own. */
static inline int zwd_enter_shielded(int *cancel_state)
{
	*cancel_state = zwd_shield_up();
	if (!zwd_enter())
		return 0;
	zwd_shield_down(*cancel_state);
	return -EBUSY;
}

static inline void zwd_leave_shielded(int cancel_state)
{
	zwd_leave();
	zwd_shield_down(cancel_state);
}

/*
 * f() once in a process. As pthread_once(), which makes a system call that a sandbox may not allow;
 * and done again in a child that was made while it was under way. 0 at first.
 */
#define ZWD_ONCE_DONE UINT_MAX
static inline void zwd_once(_Atomic unsigned int *once, void (*f)(void))
{
	unsigned int now, was;

	if (atomic_load_explicit(once, memory_order_acquire) == ZWD_ONCE_DONE)
		return;
	now = wd_generation();
	while ((was = atomic_load(once)) != ZWD_ONCE_DONE) {
		if (was == now) {
			sched_yield();
		} else if (atomic_compare_exchange_strong(once, &was, now)) {
			f();
			atomic_store(once, ZWD_ONCE_DONE);
		}
	}
}

/*
 * Memory for a call that was given none, where malloc() cannot be had for sure: its locks may be held by
 * a thread that was cancelled, or that a child made without handlers does not have. NULL: none.
 */
static inline void *zwd_pages(size_t len)
{
	int saved_errno = errno;
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	errno = saved_errno;
	if (mem == MAP_FAILED)
		return NULL;
#ifdef __SANITIZE_ADDRESS__
	__lsan_register_root_region(mem, len);
#endif
	return mem;
}

static inline void zwd_unpages(void *mem, size_t len)
{
	int saved_errno = errno;

#ifdef __SANITIZE_ADDRESS__
	if (mem)
		__lsan_unregister_root_region(mem, len);
#endif
	if (mem)
		munmap(mem, len);
	errno = saved_errno;
}

#endif

/* SPDX-License-Identifier: Zlib */
/* Which copy of the program's memory this is, and what a child has to forget. */
#include "config.h"
#include <limits.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "lean.h"
#include "priv.h"

#define NEVER UINT_MAX

/* Where no page is to be had that a child finds wiped, fork()'s handler wipes this. */
static struct wd_birth plain;
struct wd_birth *wd_birth = &plain;
unsigned int wd_renewed = NEVER;

pthread_mutex_t wd_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct wd_fork_hooks *hooks; /* atomic */
static const struct wd_fork_hooks *prepared; /* those that fork_prepare() knew; under wd_lock */
static unsigned int last; /* number given, in this process or an ancestor; atomic */
static struct stat root;  /* written once, in wd_renew() */
static int is_prepared;	  /* this thread is forking, and holds all locks */

static struct wd_birth *page_new(unsigned int generation)
{
	size_t len = sysconf(_SC_PAGESIZE);
	struct wd_birth *page = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				     -1, 0);
	struct wd_birth *before = &plain;

	if (page == MAP_FAILED)
		return NULL;
	page->generation = generation;
	if (!madvise(page, len, MADV_WIPEONFORK) &&
	    __atomic_compare_exchange_n(&wd_birth, &before, page, 0, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return page;
	munmap(page, len);
	return before == &plain ? NULL : before;
}

/* The number of this process, which a thread that comes at the same time may have written first. */
static unsigned int number(struct wd_birth *birth)
{
	unsigned int mine, before = 0;

	/* Counted before it is seen: a child that is made in between gets another one. */
	do {
		mine = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	} while (!mine);
	if (!__atomic_compare_exchange_n(&birth->generation, &before, mine, 0, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		mine = before;
	return mine;
}

/* Asked for the first time in this process. Apart, so that every later time is short. */
static __attribute__((noinline, cold)) unsigned int begin(struct wd_birth *birth)
{
	int saved_errno = errno;
	unsigned int mine = number(birth);

	if (birth == &plain && !page_new(mine))
		wd_fork_register();
	errno = saved_errno;
	return mine;
}

unsigned int wd_generation(void)
{
	struct wd_birth *birth = __atomic_load_n(&wd_birth, __ATOMIC_ACQUIRE);
	unsigned int mine = __atomic_load_n(&birth->generation, __ATOMIC_ACQUIRE);

	return wd_likely(mine) ? mine : begin(birth);
}

int wd_lock_anew(pthread_mutex_t *lock)
{
	if (!pthread_mutex_trylock(lock)) {
		pthread_mutex_unlock(lock);
		return 1;
	}
	pthread_mutex_init(lock, NULL);
	return 0;
}

void wd_fork_hooks_set(const struct wd_fork_hooks *set)
{
	__atomic_store_n(&hooks, set, __ATOMIC_RELEASE);
}

static const struct wd_fork_hooks *hooks_get(void)
{
	return __atomic_load_n(&hooks, __ATOMIC_ACQUIRE);
}

/* fork() holds every lock; whoever makes a child in another way leaves them as they are. */

static void fork_prepare(void)
{
	wd_enter();
	pthread_mutex_lock(&wd_lock);
	prepared = hooks_get();
	if (prepared)
		prepared->prepare();
	is_prepared = 1;
}

static void fork_parent(void)
{
	is_prepared = 0;
	if (prepared)
		prepared->parent();
	pthread_mutex_unlock(&wd_lock);
}

static void fork_child(void)
{
	plain = (struct wd_birth){ 0 };
	wd_enter();
}

int wd_fork_register(void)
{
	static int is_registered;
	int r;

	if (__atomic_exchange_n(&is_registered, 1, __ATOMIC_RELAXED))
		return 0;
	r = -pthread_atfork(fork_prepare, fork_parent, fork_child);
	if (r)
		__atomic_store_n(&is_registered, 0, __ATOMIC_RELAXED);
	return r;
}

static void forget(void)
{
	int is_sound;

	if (is_prepared)
		fork_parent();
	is_sound = wd_lock_anew(&wd_lock);
	if (hooks_get())
		hooks_get()->forget(is_sound);
}

void wd_renew(void)
{
	const struct timespec ms = { 0, 1000000 };
	unsigned int mine = wd_generation();
	struct wd_birth *birth = __atomic_load_n(&wd_birth, __ATOMIC_ACQUIRE);
	int saved_errno = errno;

	while (__atomic_exchange_n(&birth->is_busy, 1, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &birth->is_busy, FUTEX_WAIT_PRIVATE, 1, &ms, NULL, 0);
	if (__atomic_load_n(&wd_renewed, __ATOMIC_RELAXED) != mine) {
		if (wd_renewed != NEVER)
			forget();
		else if (lean_stat("/", &root))
			root = (struct stat){ 0 };
		__atomic_store_n(&wd_renewed, mine, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&birth->is_busy, 0, __ATOMIC_RELEASE);
	errno = saved_errno;
}

int wd_root_is_known(void)
{
	int saved_errno = errno;
	struct stat st;
	int r;

	wd_enter();
	r = !lean_stat("/", &st) && st.st_dev == root.st_dev && st.st_ino == root.st_ino;
	errno = saved_errno;
	return r;
}

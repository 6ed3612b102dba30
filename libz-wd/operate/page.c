/* SPDX-License-Identifier: Zlib */
/*
 * ZWD_STATS=dir:PATH: counters in a mapped file, which is there however the process ends.
 *
 * The file is made at load, with room for the process and for children that it forks, for later nobody may be
 * able to: they change their user and their root folder, and enter sandboxes. Each takes a page with its first
 * stream, by an atomic addition; the last page is of all those for whom there is no other.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <lean.h>
#include <wd.h>

#include "operate/log.h"
#include "operate/page.h"
#include "operate/root.h"
#include "operate/settings.h"
#include "operate/stats.h"
#include "stream/shield.h"

#define PAGE_LEN 2048
#define PAGES_NR 16
#define FILE_LEN (PAGE_LEN * PAGES_NR)

_Static_assert(sizeof(struct zwd_live) <= PAGE_LEN, "a page has room for all");

static char *pages; /* the mapped file */
static char path[1200];
static struct {
	uint64_t begin_s;
	uint32_t pid;
	bool is_child;
	char program[64];
} self; /* known before anything is forbidden */
static atomic_bool is_taken; /* by this process */
static bool is_forked;
static unsigned int generation; /* of the process that made the file, or was told of being a child */
static struct zwd_live *own; /* where it counts without a page */

static struct zwd_live *page_of(uint32_t nr)
{
	return (struct zwd_live *)(pages + (size_t)nr * PAGE_LEN);
}

static void note_self(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	self.begin_s = (uint64_t)ts.tv_sec;
	self.pid = (uint32_t)getpid();
}

/* A name that says whose it is, and that there is only one of. */
static int name_file(const char *dir)
{
	char name[sizeof(self.program)];
	struct timespec ts = { 0 };
	char *end = name;
	int len;

	for (const char *c = self.program; *c; c++)
		*end++ = lean_is_alnum(*c) || strchr("+-_", *c) ? *c : '_';
	*end = '\0';
	clock_gettime(CLOCK_REALTIME, &ts);
	len = snprintf(path, sizeof(path), "%s/%s.%u.%llx.zwd", dir, name, self.pid,
		       ts.tv_sec * 1000000000ull + (unsigned long long)ts.tv_nsec);
	return len < (int)sizeof(path) ? 0 : -ENAMETOOLONG;
}

/*
 * All of the file is reserved before any of it is mapped: to write where a file system has no room is to die.
 * A limit of file size would be a signal, too.
 */
static int reserve(int fd)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < FILE_LEN)
		return -EFBIG;
	return -posix_fallocate(fd, 0, FILE_LEN);
}

static int make(const char *dir)
{
	void *mem = MAP_FAILED;
	int fd, ret = name_file(dir);

	if (ret)
		return ret;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ret = reserve(fd);
	if (!ret)
		mem = mmap(NULL, FILE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!ret && mem == MAP_FAILED)
		ret = -errno;
	close(fd);
	if (ret)
		unlink(path);
	else
		pages = mem;
	if (!ret)
		page_of(0)->page_len = PAGE_LEN;
	return ret;
}

bool zwd_page_make(const char *dir)
{
	static atomic_bool is_tried;
	int saved_errno = errno, cancel_state, ret;

	if (!*dir || atomic_exchange(&is_tried, true))
		return false;
	generation = wd_generation();
	cancel_state = zwd_shield_up();
	own = zwd_counting;
	note_self();
	zwd_settings_program(self.program, sizeof(self.program));
	ret = make(dir);
	if (ret)
		zwd_log(ZWD_LOG_WARN, "no page for statistics in %s: %s", dir, strerror(-ret));
	zwd_shield_down(cancel_state);
	errno = saved_errno;
	return !ret;
}

/* Who else has the page writes the same, but for the number. */
static void describe(struct zwd_live *page, uint32_t pid)
{
	page->version = own->version;
	page->size = own->size;
	page->counters_nr = own->counters_nr;
	page->page_len = PAGE_LEN;
	memcpy(page->library, own->library, sizeof(page->library));
	memcpy(page->program, self.program, sizeof(page->program));
	page->begin_s = self.begin_s;
	page->pid = pid;
	atomic_thread_fence(memory_order_release);
	memcpy(page->magic, own->magic, sizeof(page->magic));
}

/* What was counted before. */
static void move(struct zwd_live *page)
{
	uint64_t *from = (uint64_t *)own->dir, *to = (uint64_t *)page->dir;
	const size_t len = sizeof(own->dir);

	for (size_t i = 0; i < len / sizeof(*from); i++)
		zwd_add(&to[i], __atomic_exchange_n(&from[i], 0, __ATOMIC_RELAXED));
}

void zwd_page_take(void)
{
	struct zwd_live *page;
	uint32_t nr;

	/* A child that was made behind our back has its parent's page, and is not told from it. */
	if (!pages || generation != wd_generation() || atomic_exchange(&is_taken, true))
		return;
	nr = __atomic_fetch_add(&page_of(0)->taken, 1, __ATOMIC_RELAXED);
	page = page_of(nr < PAGES_NR - 1 ? nr : PAGES_NR - 1);
	describe(page, nr < PAGES_NR - 1 ? self.pid : 0);
	__atomic_store_n(&zwd_counting, page, __ATOMIC_RELEASE);
	__atomic_store_n(&own->elsewhere, (uint64_t)(uintptr_t)page, __ATOMIC_RELEASE);
	move(page);
}

void zwd_page_fork(void)
{
	is_forked = true;
}

void zwd_page_leave(void)
{
	if (!pages)
		return;
	__atomic_store_n(&zwd_counting, own, __ATOMIC_RELAXED);
	own->elsewhere = 0;
	atomic_store(&is_taken, false);
	generation = wd_generation();
	note_self();
	self.is_child = true;
}

/* For what is done with a page no system call is made: there are filters by which that is to die. */
void zwd_page_end(bool (*has_worked)(void))
{
	if (!pages || generation != wd_generation())
		return;
	if (has_worked())
		zwd_page_take(); /* on a stream that it was forked with */
	if (!is_forked && !self.is_child && !page_of(0)->taken && !zwd_root_is_changed())
		unlink(path);
}

/* SPDX-License-Identifier: Zlib */
/* Guards: what memory a device reaches that shares all of the process's: memory DEVICE. A line for
 * each kind. */
#define _GNU_SOURCE
#include "call.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define LEN  300000u
#define ROOM (1u << 20)
#define HUGE (2u << 20)

static char of_program[LEN];
static char of_bss[ROOM];

static void by_kind(struct wd_queue *q, char *src, char *dst)
{
	char on_stack[5000], room_on_stack[5000];

	tell(is_right(q, src, LEN, dst, ROOM), "input from malloc, output untouched");
	tell(is_right(q, src, LEN, dst, ROOM), "the same again, all there");
	fill(on_stack, sizeof(on_stack), 2);
	tell(is_right(q, on_stack, sizeof(on_stack), room_on_stack, sizeof(room_on_stack)),
	     "input and output on the stack");
	fill(of_program, LEN, 3);
	tell(is_right(q, of_program, LEN, of_bss, ROOM), "static input and output");
	tell(is_right(q, (char *)untouched(ROOM), ROOM, dst, ROOM),
	     "untouched input, which is zeros");
	tell(!madvise(dst, ROOM, MADV_DONTNEED) && is_right(q, src, LEN, dst, ROOM),
	     "output that MADV_DONTNEED took");
}

static void of_files(struct wd_queue *q, const char *src)
{
	const int fd = open("/tmp/sva-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *shared, *private;

	if (fd < 0 || write(fd, src, LEN) != LEN || ftruncate(fd, ROOM + HUGE)) {
		tell(0, "a file");
		return;
	}
	private = mmap(NULL, LEN, PROT_READ, MAP_PRIVATE, fd, 0);
	shared = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, HUGE);
	tell(private != MAP_FAILED && shared != MAP_FAILED &&
		     is_right(q, private, LEN, shared, ROOM),
	     "input and output of a mapped file");
	close(fd);
	unlink("/tmp/sva-file");
}

static void refused(struct wd_queue *q, char *src, char *dst)
{
	char *read_only = mmap(NULL, ROOM, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *gone = untouched(ROOM);
	struct wd_zip_res res;

	tell(is_refused(q, src, LEN, read_only, ROOM), "output that is read-only fails");
	munmap(gone, ROOM);
	tell(is_refused(q, src, LEN, gone, ROOM), "output that is not mapped fails");
	tell(is_refused(q, gone, LEN, dst, ROOM), "input that is not mapped fails");
	/* libwd may see that before the device does. */
	tell(call(q, src, LEN, (char *)(UINTPTR_MAX - 2 * ROOM), ROOM, &res) < 0 && !res.produced,
	     "output at an address of the kernel's fails");
	tell(is_right(q, src, LEN, dst, ROOM), "and the queue goes on");
}

static void huge(struct wd_queue *q, const char *src)
{
	char *mem = untouched(3 * HUGE);
	char *at = (char *)(((uintptr_t)mem + HUGE - 1) & ~(uintptr_t)(HUGE - 1));

	madvise(at, HUGE, MADV_HUGEPAGE);
	tell(is_right(q, src, LEN, at, ROOM), "output in a huge page that is not there yet");
	memcpy(at + ROOM, src, LEN);
	tell(is_right(q, at + ROOM, LEN, at, ROOM), "input and output in one huge page");
	munmap(at + 4096, 4096);
	tell(is_refused(q, src, LEN, at, ROOM), "a hole in it is a hole");
	munmap(mem, 3 * HUGE);
}

static void moved(struct wd_queue *q, const char *src)
{
	char *old = untouched(ROOM), *new;

	memcpy(old, src, LEN);
	new = mremap(old, ROOM, ROOM, MREMAP_MAYMOVE | MREMAP_FIXED, untouched(ROOM));
	tell(new != MAP_FAILED &&is_right(q, new, LEN, new + LEN, ROOM - LEN),
	     "memory that mremap moved, where it is now");
	tell(is_refused(q, old, LEN, new, ROOM), "and not where it was");
}

/* No page of it is in memory: so says the kernel of each page, if not where else. */
static int is_out(const char *mem, size_t len)
{
	const int fd = open("/proc/self/pagemap", O_RDONLY);
	const uint64_t swapped = UINT64_C(1) << 62;
	uint64_t entry;
	int good = fd >= 0;

	for (size_t off = 0; good && off < len; off += 4096)
		good = pread(fd, &entry, sizeof(entry), ((uintptr_t)mem + off) / 4096 * 8) ==
			       sizeof(entry) &&
		       entry & swapped;
	close(fd);
	return good;
}

static int has_swap(void)
{
	char text[256] = "", *end;
	const int fd = open("/proc/swaps", O_RDONLY);
	const ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	end = n > 0 ? strchr(text, '\n') : NULL; /* of the heading */
	return end && end[1];
}

/* Where there is somewhere to swap to. What is on its way to a list of the kernel's stays a while.
 */
static void swapped(struct wd_queue *q, const char *src)
{
	char *mem = untouched(2 * ROOM);
	int tries = 1000;

	if (!has_swap())
		return;
	memcpy(mem, src, LEN);
	fill(mem + ROOM, ROOM, 4);
	while ((!is_out(mem, LEN) || !is_out(mem + ROOM, ROOM)) && tries--) {
		madvise(mem, 2 * ROOM, MADV_PAGEOUT);
		usleep(10000);
	}
	tell(tries >= 0 && is_right(q, mem, LEN, mem + ROOM, ROOM),
	     "input and output that were swapped out");
	munmap(mem, 2 * ROOM);
}

static atomic_int is_over;

static void *lock_and_unlock(void *mem)
{
	while (!is_over) {
		mlock(mem, ROOM);
		munlock(mem, ROOM);
		madvise(mem, ROOM, MADV_DONTNEED);
	}
	return NULL;
}

static void under_load(struct wd_queue *q, const char *src, char *dst)
{
	char *mem = untouched(2 * ROOM);
	pthread_t thread;
	int good = !pthread_create(&thread, NULL, lock_and_unlock, mem);

	/* Beside what is used, and of the page table that has it. */
	for (int i = 0; good && i < 10; i++) {
		madvise(mem + ROOM, ROOM, MADV_DONTNEED);
		good = is_right(q, src, LEN, mem + ROOM, ROOM);
	}
	is_over = 1;
	pthread_join(thread, NULL);
	tell(good, "beside pages that are locked, unlocked and dropped all the time");
}

static void at_the_limit(struct wd_queue *q, const char *src, char *dst)
{
	struct rlimit old, none;

	getrlimit(RLIMIT_AS, &old);
	none = old;
	none.rlim_cur = 1 << 20;
	madvise(dst, ROOM, MADV_DONTNEED);
	setrlimit(RLIMIT_AS, &none);
	{
		struct wd_zip_res res;
		const int made = call(q, src, LEN, dst, ROOM, &res);

		setrlimit(RLIMIT_AS, &old);
		tell(made > 0 && is_back(dst, made, src, LEN), "a process at its RLIMIT_AS");
	}
}

int main(int argc, char **argv)
{
	struct wd_queue *q = queue_open(argc > 1 ? argv[1] : "auto");
	char *src = malloc(LEN), *dst = untouched(ROOM);

	fill(src, LEN, 1);
	by_kind(q, src, dst);
	of_files(q, src);
	refused(q, src, dst);
	huge(q, src);
	moved(q, src);
	swapped(q, src);
	under_load(q, src, dst);
	at_the_limit(q, src, dst);
	wd_release_queue(q);
	return wrongs() != 0;
}

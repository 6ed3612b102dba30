/* SPDX-License-Identifier: Zlib */
/* Whether a descriptor's number is still that of the file we opened. */
#include "config.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "process.h"
#include "transport/file.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static struct wd_file *files;

static void unlink_file(const struct wd_file *file)
{
	for (struct wd_file **at = &files; *at; at = &(*at)->next)
		if (*at == file) {
			*at = file->next;
			break;
		}
}

static void lose(struct wd_file *file)
{
	__atomic_store_n(&file->fd, -1, __ATOMIC_RELAXED);
}

int wd_file_take(struct wd_file *file, int r)
{
	int error;

	if (r < 0)
		return r;
	error = wd_sys->identity(r, &file->identity);
	if (error) {
		wd_sys->close(r);
		return error;
	}
	pthread_mutex_lock(&lock);
	/* Two of ours may look alike: the number is the later one's. */
	for (struct wd_file *other = files; other; other = other->next)
		if (other->fd == r)
			lose(other);
	__atomic_store_n(&file->fd, r, __ATOMIC_RELAXED);
	file->next = files;
	files = file;
	pthread_mutex_unlock(&lock);
	return r;
}

static int is_same(const struct wd_sys_identity *a, const struct wd_sys_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->rdev == b->rdev &&
	       (!*a->kind || !*b->kind || !strcmp(a->kind, b->kind));
}

int wd_file_get(struct wd_file *file)
{
	struct wd_sys_identity identity;
	int fd = wd_file_number(file);

	if (fd < 0)
		return -EBADF;
	if (!wd_sys->identity(fd, &identity) && is_same(&identity, &file->identity))
		return fd;
	lose(file);
	return -EBADF;
}

void wd_file_close(struct wd_file *file)
{
	int fd = wd_file_get(file);

	pthread_mutex_lock(&lock);
	unlink_file(file);
	pthread_mutex_unlock(&lock);
	lose(file);
	if (fd >= 0)
		wd_sys->close(fd);
}

void wd_files_forget(void)
{
	if (!wd_lock_anew(&lock))
		files = NULL;
}

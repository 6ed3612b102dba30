/* SPDX-License-Identifier: Zlib */
/* The system calls of the transports, and what they read from sysfs. */
#include "config.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lean.h"
#include "transport/sys.h"
#include "transport/transport.h"
#include "wd.h"

/* r as the system call left it, with -1 and errno for a failure. */
static int result(int r, int saved_errno)
{
	if (r < 0)
		r = -errno;
	errno = saved_errno;
	return r;
}

static int sys_open(const char *path, int flags)
{
	int saved_errno = errno;

	return result(open(path, flags | O_CLOEXEC), saved_errno);
}

static int sys_close(int fd)
{
	int saved_errno = errno;

	return result(close(fd), saved_errno);
}

static int sys_identity(int fd, struct wd_sys_identity *identity)
{
	int saved_errno = errno;
	char path[32];
	struct stat st;

	if (lean_fstat(fd, &st))
		return result(-1, saved_errno);
	*identity = (struct wd_sys_identity){ st.st_dev, st.st_ino, st.st_rdev, "" };
	/* "anon_inode:[eventfd]" and the like are of no type. */
	if (!(st.st_mode & S_IFMT)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (readlink(path, identity->kind, sizeof(identity->kind) - 1) < 0)
			*identity->kind = 0;
	}
	errno = saved_errno;
	return 0;
}

static int sys_ioctl(int fd, unsigned long cmd, void *arg)
{
	int saved_errno = errno;

	return result(ioctl(fd, cmd, arg), saved_errno);
}

static int sys_map(int fd, uint64_t off, size_t len, int prot, void **mem)
{
	int saved_errno = errno;
	void *p = mmap(NULL, len, prot, MAP_SHARED, fd, off);

	if (p == MAP_FAILED)
		return result(-1, saved_errno);
	*mem = p;
	return 0;
}

static int sys_unmap(void *mem, size_t len)
{
	int saved_errno = errno;

	return result(munmap(mem, len), saved_errno);
}

static int sys_poll(struct pollfd *fds, unsigned int nr, int timeout_ms)
{
	int saved_errno = errno;

	return result(poll(fds, nr, timeout_ms), saved_errno);
}

static int sys_eventfd(void)
{
	int saved_errno = errno;

	return result(lean_eventfd(EFD_CLOEXEC | EFD_NONBLOCK), saved_errno);
}

static int sys_read(const char *path, char *text, size_t text_len)
{
	int saved_errno = errno;
	ssize_t len;
	int fd = sys_open(path, O_RDONLY);

	if (fd < 0)
		return fd;
	len = read(fd, text, text_len - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	errno = saved_errno;
	if (len < 0)
		return len;
	while (len && strchr(" \n\t", text[len - 1]))
		len--;
	text[len] = 0;
	return 0;
}

static int sys_readlink(const char *path, char *text, size_t text_len)
{
	int saved_errno = errno;
	ssize_t len = readlink(path, text, text_len);

	if (len < 0)
		return result(-1, saved_errno);
	if ((size_t)len == text_len)
		return -ENAMETOOLONG;
	text[len] = 0;
	return 0;
}

static int sys_access(const char *path, int mode)
{
	int saved_errno = errno;

	return result(access(path, mode), saved_errno);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Not alphasort(): its address in a call costs every program a search for it at its start. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int sys_names(const char *path, char **names)
{
	int saved_errno = errno;
	struct dirent **entries;
	int nr = scandir(path, &entries, is_visible, by_name);
	size_t len = 1;
	char *end;

	if (nr < 0)
		return result(nr, saved_errno);
	for (int i = 0; i < nr; i++)
		len += strlen(entries[i]->d_name) + 1;
	end = *names = malloc(len);
	for (int i = 0; i < nr; i++) {
		if (end)
			end = stpcpy(end, entries[i]->d_name) + 1;
		free(entries[i]);
	}
	free(entries);
	errno = saved_errno;
	if (!end)
		return -ENOMEM;
	*end = 0;
	return nr;
}

static int sys_node(void)
{
	unsigned int cpu, node = 0;
	int saved_errno = errno;
	int r = result((int)syscall(SYS_getcpu, &cpu, &node, NULL), saved_errno);

	return r < 0 ? r : (int)node;
}

const struct wd_sys wd_sys_linux = {
	.open = sys_open,
	.close = sys_close,
	.identity = sys_identity,
	.ioctl = sys_ioctl,
	.map = sys_map,
	.unmap = sys_unmap,
	.poll = sys_poll,
	.eventfd = sys_eventfd,
	.read = sys_read,
	.readlink = sys_readlink,
	.access = sys_access,
	.names = sys_names,
	.node = sys_node,
};
const struct wd_sys *wd_sys = &wd_sys_linux;

void wd_info_refuse(struct wd_device_info *info, int error, const char *format, ...)
{
	va_list ap;

	if (info->error)
		return;
	info->error = error;
	va_start(ap, format);
	vsnprintf(info->reason, sizeof(info->reason), format, ap);
	va_end(ap);
}

int wd_sys_list(const char *folder, int (*describe)(const char *name, struct wd_device_info *info),
		struct wd_device_info *info, unsigned int nr)
{
	struct wd_device_info one;
	char *names;
	int found = 0;
	int r = wd_sys->names(folder, &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0; /* no module, no folder */
	for (const char *name = names; *name; name += strlen(name) + 1) {
		if (!describe(name, &one))
			continue;
		if ((unsigned int)found < nr)
			info[found] = one;
		found++;
	}
	free(names);
	return found;
}

int wd_sys_exists(const char *folder)
{
	int r = wd_sys->access(folder, F_OK);

	return r != -ENOENT && r != -ENOTDIR;
}

int wd_sys_number(const char *path, long long *value)
{
	int saved_errno = errno;
	char text[32], *end;
	long long number;
	int r = wd_sys->read(path, text, sizeof(text));

	if (r)
		return r;
	errno = 0;
	number = strtoll(text, &end, 0);
	r = errno || end == text || *end ? -EINVAL : 0;
	errno = saved_errno;
	if (!r)
		*value = number;
	return r;
}

void wd_sys_algs(char *text, char *algs, size_t algs_len)
{
	static const char known[][8] = { "zlib", "gzip", "deflate" };
	char *next, *end = algs;

	*algs = 0;
	for (char *word = strtok_r(text, " \n\t", &next); word; word = strtok_r(NULL, " \n\t", &next))
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!strcmp(word, known[i]) &&
			    end + strlen(word) + 2 <= algs + algs_len) {
				if (end != algs)
					*end++ = ' ';
				end = stpcpy(end, word);
			}
}

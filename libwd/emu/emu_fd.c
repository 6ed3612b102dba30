/* SPDX-License-Identifier: Zlib */
/* The descriptor of an event, which the program may have closed, and opened another file there. */
#include "config.h"
#include "emu_dev.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lean.h"

unsigned int emu_epoch;

bool emu_fd_is_ours(const struct emu_fd *fd, int nr)
{
	struct stat st;

	return nr >= 0 && !lean_fstat(nr, &st) && st.st_dev == fd->dev && st.st_ino == fd->ino;
}

int emu_fd_make(struct emu_fd *fd)
{
	int nr = lean_eventfd(EFD_CLOEXEC | EFD_NONBLOCK);
	struct stat st;

	if (nr < 0)
		return -errno;
	if (lean_fstat(nr, &st)) {
		close(nr);
		return -EBADF;
	}
	fd->dev = st.st_dev;
	fd->ino = st.st_ino;
	atomic_store(&fd->nr, nr);
	return nr;
}

void emu_fd_close(struct emu_fd *fd)
{
	int nr = atomic_exchange(&fd->nr, -1);

	if (emu_fd_is_ours(fd, nr))
		close(nr);
}

void emu_fd_set(struct emu_fd *fd)
{
	const uint64_t one = 1;
	int nr = atomic_load(&fd->nr);

	/* The second can only fail where it is readable already. */
	if (!emu_fd_is_ours(fd, nr) || write(nr, &one, sizeof(one)) < 0)
		return;
}

void emu_fd_clear(struct emu_fd *fd)
{
	int nr = atomic_load(&fd->nr);
	uint64_t count;

	if (!emu_fd_is_ours(fd, nr) || read(nr, &count, sizeof(count)) < 0)
		return;
}

/* SPDX-License-Identifier: Zlib */
/* The state of the tests' kernel: files, and which call fails. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "fake_priv.h"

struct fake_state fake = { .epoll = -1 };
/* Not held where something waits. */
pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

/* Under the lock. */
int fake_is_failing(int *r)
{
	if (++fake.calls != fake.failing_call)
		return 0;
	*r = -fake.failing_error;
	return 1;
}

int fake_file_new(enum kind kind, struct queue *q)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0 || fd >= FDS)
		abort();
	if (fake.zero_in && !--fake.zero_in) {
		if (dup2(fd, 0))
			abort();
		close(fd);
		fd = 0;
	}
	fake.files[fd] = (struct file){ kind, q, ++fake.inodes, 0 };
	fake.counts.fds++;
	return fd;
}

/* SPDX-License-Identifier: Zlib */
/* The kernel of the transport tests: its beginning, fork, and what tests do to it. Promises:
 * uapi/wd/sdmdev.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "fake_priv.h"

static const struct wd_sys fake_sys = {
	.open = fake_open,
	.close = fake_close,
	.identity = fake_identity,
	.ioctl = fake_ioctl,
	.map = fake_map,
	.unmap = fake_unmap,
	.poll = fake_poll,
	.eventfd = fake_eventfd,
	.read = fake_read,
	.readlink = fake_readlink,
	.access = fake_access,
	.names = fake_names,
	.node = fake_node,
};

/* With uacce the device has the process's page tables. */
static void share_all(void)
{
	if (fake.dev && !fake.setup.mode && fake.setup.flags & UACCE_FLAG_SVA &&
	    emu_dma_map(fake.dev, 0, NULL, UINT64_MAX, EMU_DMA_READ | EMU_DMA_WRITE))
		abort();
}

/* Around fork: what the parent has open is another process's, and the thread is the parent's. */

static void fork_prepare(void)
{
	pthread_mutex_lock(&fake_lock);
	if (fake.dev)
		emu_fork_prepare();
}

static void fork_parent(void)
{
	if (fake.dev)
		emu_fork_parent();
	pthread_mutex_unlock(&fake_lock);
}

static void child_begin(void)
{
	if (fake.dev)
		emu_fork_child();
	share_all();
	for (unsigned int i = 0; i < QUEUES; i++)
		if (fake.queues[i].is_open)
			fake.queues[i] =
				(struct queue){ .index = i, .is_taken = 1, .events = { -1, -1 } };
	if (fake.epoll >= 0)
		close(fake.epoll);
	fake.epoll = -1;
	fake.has_interrupts = 0;
}

static void fork_child(void)
{
	child_begin();
	pthread_mutex_unlock(&fake_lock);
}

void fake_forked(void)
{
	pthread_mutex_init(&fake_lock, NULL);
	child_begin();
}

void fake_kernel_init(const struct fake_setup *wanted)
{
	static int has_atfork;

	if (!has_atfork)
		assert_int_equal(pthread_atfork(fork_prepare, fork_parent, fork_child), 0);
	has_atfork = 1;
	fake.setup = *wanted;
	if (!fake.setup.mode && !fake.setup.flags)
		fake.setup.flags = UACCE_FLAG_SVA;
	fake.page_len = sysconf(_SC_PAGESIZE);
	assert_int_equal(emu_dev_get(fake.setup.emu, &fake.dev), 0);
	emu_dev_info(fake.dev, &fake.info);
	share_all();
	for (unsigned int i = 0; i < QUEUES; i++)
		fake.queues[i] = (struct queue){ .index = i, .events = { -1, -1 } };
	memset(fake.taken_functions, 0, sizeof(fake.taken_functions));
	memset(&fake.counts, 0, sizeof(fake.counts));
	fake.failing_call = 0;
	fake.zero_in = 0;
	fake_answer(NULL, NULL);
	fake_nodes(1, 1, 0);
	fake.open_error = 0;
	fake.refused = 0;
	fake.is_gone = 0;
	fake.generation = 0;
	fake.next_dma = DMA_BASE;
	wd_sys = &fake_sys;
}

void fake_kernel_fini(void)
{
	if (fake.has_interrupts) {
		int fd = eventfd(1, EFD_CLOEXEC);

		fake_interrupts_add(fd, QUEUES);
		pthread_join(fake.interrupts, NULL);
		close(fd);
		fake.has_interrupts = 0;
	}
	if (fake.epoll >= 0)
		close(fake.epoll);
	fake.epoll = -1;
	emu_dev_put(fake.dev);
	fake.dev = NULL;
	wd_sys = &wd_sys_linux;
}

struct fake_counts fake_counts(void)
{
	return fake.counts;
}

unsigned int fake_calls(void)
{
	return fake.calls;
}

void fake_fail(unsigned int call, int error)
{
	fake.failing_call = call;
	fake.failing_error = error;
}

void fake_number_zero(unsigned int n)
{
	fake.zero_in = n;
}

void fake_refuse_open(int error)
{
	fake.open_error = error;
}

unsigned int fake_refused(void)
{
	return fake.refused;
}

void fake_take_group(unsigned int function, unsigned int queue)
{
	fake.queues[function * FAKE_QUEUES + queue].is_taken = 1;
}

void fake_take_function(unsigned int function)
{
	fake.taken_functions[function] = 1;
}

void fake_close_files(int with)
{
	pthread_mutex_lock(&fake_lock);
	for (unsigned int i = 0; i < QUEUES; i++)
		fake.queues[i].events[0] = fake.queues[i].events[1] = -1;
	for (int fd = 0; fd < FDS; fd++) {
		struct queue *q = fake.files[fd].queue;

		if (fake.files[fd].kind == NONE)
			continue;
		if (fake.files[fd].kind == DEVICE || fake.files[fd].kind == UACCE)
			q->has_no_file = 1;
		fake.files[fd] = (struct file){ .inode = ++fake.inodes };
		fake.counts.fds--;
		if (with < 0 ? close(fd) : dup2(with, fd) != fd)
			abort();
	}
	pthread_mutex_unlock(&fake_lock);
}

void fake_want_removal(void)
{
	pthread_mutex_lock(&fake_lock);
	for (unsigned int i = 0; i < QUEUES; i++)
		if (fake.queues[i].is_open) {
			__atomic_store_n(&fake_status(&fake.queues[i])->is_removal_wanted, 1,
					 __ATOMIC_RELEASE);
			fake_signal(&fake.queues[i], SDMDEV_IRQ_ERROR);
		}
	pthread_mutex_unlock(&fake_lock);
}

void fake_fail_device(enum sdmdev_state state)
{
	pthread_mutex_lock(&fake_lock);
	fake.generation += state == SDMDEV_STATE_RESET;
	fake.is_gone = state == SDMDEV_STATE_DEAD;
	for (unsigned int i = 0; i < QUEUES; i++) {
		if (!fake.queues[i].is_open)
			continue;
		fake_queue_stop(&fake.queues[i]);
		fake_set_stop_words(&fake.queues[i], 1);
		if (fake.setup.mode)
			fake_set_state(&fake.queues[i], state);
		fake_signal(&fake.queues[i], SDMDEV_IRQ_ERROR);
	}
	pthread_mutex_unlock(&fake_lock);
}

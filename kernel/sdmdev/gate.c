// SPDX-License-Identifier: GPL-2.0-only
/* Keeps a process from pinning memory again while it is being unmapped. */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "sdmdev.h"

/*
 * VFIO_IOMMU_UNMAP_DMA asks a driver to unpin, looks again, and stops the machine when pins are
 * back for the tenth time (6.1). Threads that share in a loop could bring that about. So nothing is
 * shared from the moment a thread asked until it has left the call. Nobody tells when it does, but
 * a file it drops is released on its way out of the kernel, not earlier.
 */

static void sdmdev_gate_free(struct kref *ref)
{
	kfree(container_of(ref, struct sdmdev_gate, ref));
}

void sdmdev_gate_put(struct sdmdev_gate *gate)
{
	kref_put(&gate->ref, sdmdev_gate_free);
}

struct sdmdev_gate *sdmdev_gate_alloc(void)
{
	struct sdmdev_gate *gate = kzalloc(sizeof(*gate), GFP_KERNEL);

	if (gate) {
		kref_init(&gate->ref);
		init_waitqueue_head(&gate->wait);
	}
	return gate;
}

static int sdmdev_gate_leave(struct inode *inode, struct file *file)
{
	struct sdmdev_gate *gate = file->private_data;

	if (atomic_dec_and_test(&gate->inside_nr))
		wake_up_all(&gate->wait);
	sdmdev_gate_put(gate);
	return 0;
}

static const struct file_operations sdmdev_gate_fops = {
	.owner = THIS_MODULE,
	.release = sdmdev_gate_leave,
};

/* Closes the gate until the current thread returns to user space. */
void sdmdev_gate_enter(struct sdmdev_gate *gate)
{
	struct file *file;

	atomic_inc(&gate->inside_nr);
	kref_get(&gate->ref);
	file = anon_inode_getfile("[sdmdev-gate]", &sdmdev_gate_fops, gate, O_RDONLY);
	if (IS_ERR(file)) {
		/* It stays closed: this process shares no more until it closes its queues. */
		sdmdev_gate_put(gate);
		return;
	}
	fput(file);
}

bool sdmdev_gate_is_open(const struct sdmdev_gate *gate)
{
	return !atomic_read(&gate->inside_nr);
}

int sdmdev_gate_wait(struct sdmdev_gate *gate)
{
	return wait_event_interruptible(gate->wait, sdmdev_gate_is_open(gate)) ? -EINTR : 0;
}

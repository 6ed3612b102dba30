// SPDX-License-Identifier: GPL-2.0-only
/* Functions: registration, what holds for all queues of one, resets and their end. */

#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "compat.h"
#include "sdmdev.h"

static char *bus_name = "sdmdev";
module_param_named(bus, bus_name, charp, 0444);
MODULE_PARM_DESC(bus, "where queues appear: sdmdev (own bus) or mdev");

static struct class *sdmdev_class;
static LIST_HEAD(sdmdev_buses);
static DEFINE_MUTEX(sdmdev_buses_lock);

int sdmdev_bus_register(struct sdmdev_bus *bus)
{
	mutex_lock(&sdmdev_buses_lock);
	list_add_tail(&bus->node, &sdmdev_buses);
	mutex_unlock(&sdmdev_buses_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(sdmdev_bus_register);

void sdmdev_bus_unregister(struct sdmdev_bus *bus)
{
	mutex_lock(&sdmdev_buses_lock);
	list_del(&bus->node);
	mutex_unlock(&sdmdev_buses_lock);
}
EXPORT_SYMBOL_GPL(sdmdev_bus_unregister);

static const struct sdmdev_bus *sdmdev_bus_get(const char *name)
{
	struct sdmdev_bus *bus, *found = NULL;

	mutex_lock(&sdmdev_buses_lock);
	list_for_each_entry(bus, &sdmdev_buses, node)
		if (!strcmp(bus->name, name) && try_module_get(bus->owner))
			found = bus;
	mutex_unlock(&sdmdev_buses_lock);
	return found;
}

/* One more queue the device works for. */
int sdmdev_core_begin(struct sdmdev_core *core)
{
	int ret = 0;

	mutex_lock(&core->state_lock);
	if (core->is_gone)
		ret = -ENODEV;
	else if (core->resets_nr || core->is_isolated)
		ret = -EIO;
	else
		core->started_nr++;
	mutex_unlock(&core->state_lock);
	return ret;
}

/* One less, or one that could not be stopped: only a reset makes that sure. */
void sdmdev_core_end(struct sdmdev_core *core, bool is_stuck)
{
	mutex_lock(&core->state_lock);
	core->started_nr--;
	if (is_stuck) {
		core->stuck_nr++;
		if (!core->resets_nr && !core->is_gone)
			schedule_work(&core->reset_work);
	}
	mutex_unlock(&core->state_lock);
}

void sdmdev_core_retire(struct sdmdev_core *core, struct sdmdev_retired *retired)
{
	mutex_lock(&core->state_lock);
	list_add_tail(&retired->node, &core->retired);
	mutex_unlock(&core->state_lock);
}

/* Everything retired goes. No queue works, and none starts while state_lock is held. */
static void sdmdev_core_free_retired(struct sdmdev_core *core)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(core->sdmdev->dev);
	struct sdmdev_retired *retired, *next;

	if (list_empty(&core->retired))
		return;
	list_for_each_entry_safe(retired, next, &core->retired, node) {
		list_del(&retired->node);
		retired->free(retired);
	}
	/*
	 * The DMA API may unmap lazily: until this flush a queue that is started could reach freed
	 * pages by what the IOMMU remembers of them.
	 */
	if (domain && domain->type & __IOMMU_DOMAIN_PAGING)
		iommu_flush_iotlb_all(domain);
}

/* Frees what is retired as soon as the device works for nobody. */
void sdmdev_core_settle(struct sdmdev_core *core)
{
	mutex_lock(&core->state_lock);
	if (!core->started_nr && !core->stuck_nr)
		sdmdev_core_free_retired(core);
	mutex_unlock(&core->state_lock);
}

int sdmdev_core_available(struct sdmdev_core *core)
{
	const struct vfio_sdmdev_ops *ops = core->sdmdev->ops;

	return ops->get_available_instances ? ops->get_available_instances(core->sdmdev) : 0;
}
EXPORT_SYMBOL_GPL(sdmdev_core_available);

/**
 * vfio_sdmdev_reset_begin() - the function failed or is about to be reset
 * @sdmdev: the function
 * @is_gone: it will not come back
 *
 * Every started queue becomes RESET, or DEAD, and none can be started. Takes each queue's mutex,
 * calls no op, may sleep.
 */
void vfio_sdmdev_reset_begin(struct vfio_sdmdev *sdmdev, bool is_gone)
{
	struct sdmdev_core *core = sdmdev->core;
	struct sdmdev_queue *sq;

	mutex_lock(&core->lock);
	mutex_lock(&core->state_lock);
	core->generation++;
	core->resets_nr++;
	core->is_gone |= is_gone;
	mutex_unlock(&core->state_lock);
	list_for_each_entry(sq, &core->queues, node)
		sdmdev_queue_reset_begin(sq, is_gone);
	mutex_unlock(&core->lock);
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_reset_begin);

/* is_done: nothing of what was in flight before is in flight now. */
static void sdmdev_core_reset_end(struct sdmdev_core *core, bool is_done)
{
	struct sdmdev_queue *sq;
	bool is_last;

	mutex_lock(&core->lock);
	mutex_lock(&core->state_lock);
	is_last = !--core->resets_nr;
	core->is_isolated = !is_done;
	if (is_last && is_done)
		core->stuck_nr = 0;
	mutex_unlock(&core->state_lock);
	if (is_last && is_done)
		list_for_each_entry(sq, &core->queues, node) {
			mutex_lock(&sq->q->mutex);
			sq->is_stuck = false;
			mutex_unlock(&sq->q->mutex);
		}
	mutex_unlock(&core->lock);
	sdmdev_core_settle(core);
}

/**
 * vfio_sdmdev_reset_done() - the function was reset and works
 * @sdmdev: the function
 *
 * Pairs with vfio_sdmdev_reset_begin(). No DMA of before is in flight. Queues may be started, and
 * quarantined memory is freed. May sleep.
 */
void vfio_sdmdev_reset_done(struct vfio_sdmdev *sdmdev)
{
	sdmdev_core_reset_end(sdmdev->core, true);
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_reset_done);

/* A queue could not be stopped. */
static void sdmdev_core_reset(struct work_struct *work)
{
	struct sdmdev_core *core = container_of(work, struct sdmdev_core, reset_work);
	struct vfio_sdmdev *sdmdev = core->sdmdev;
	bool is_needed;
	int ret;

	mutex_lock(&core->state_lock);
	is_needed = core->stuck_nr && !core->resets_nr && !core->is_gone;
	mutex_unlock(&core->state_lock);
	if (!is_needed)
		return;
	vfio_sdmdev_reset_begin(sdmdev, false);
	ret = sdmdev->ops->reset ? sdmdev->ops->reset(sdmdev) : -EOPNOTSUPP;
	if (ret)
		dev_err(sdmdev->dev, "sdmdev: reset failed (%d), the function is isolated\n", ret);
	sdmdev_core_reset_end(core, !ret);
}

/* With no lock held: see sdmdev_queue_free(). */
static void sdmdev_core_put_queues(struct work_struct *work)
{
	struct sdmdev_core *core = container_of(work, struct sdmdev_core, put_work);
	struct sdmdev_queue *sq, *next;

	llist_for_each_entry_safe(sq, next, llist_del_all(&core->put_list), put_node)
		vfio_put_device(&sq->vdev);
}

static int sdmdev_core_check(const struct vfio_sdmdev *sdmdev)
{
	const struct vfio_sdmdev_ops *ops = sdmdev->ops;

	if (!sdmdev->dev || !sdmdev->name || !sdmdev->algs || !sdmdev->api_ver || !ops)
		return -EINVAL;
	if (!ops->get_queue || !ops->put_queue || !ops->describe || !ops->start_queue ||
	    !ops->stop_queue || !ops->is_q_updated || !ops->mask_notify)
		return -EINVAL;
	return 0;
}

/**
 * vfio_sdmdev_register() - offers the queues of a function
 * @sdmdev: the function; not to be changed until it is unregistered
 *
 * Return: 0; -EINVAL: something mandatory is missing; -EOPNOTSUPP: the function has no road of
 * memory that this machine has; -ENODEV: no such bus backend; or -errno.
 */
int vfio_sdmdev_register(struct vfio_sdmdev *sdmdev)
{
	struct sdmdev_core *core;
	int ret;

	ret = sdmdev_core_check(sdmdev);
	if (ret)
		return ret;
	core = kzalloc(sizeof(*core), GFP_KERNEL);
	if (!core)
		return -ENOMEM;
	core->sdmdev = sdmdev;
	mutex_init(&core->lock);
	mutex_init(&core->state_lock);
	INIT_LIST_HEAD(&core->queues);
	INIT_LIST_HEAD(&core->spaces);
	INIT_LIST_HEAD(&core->retired);
	INIT_WORK(&core->reset_work, sdmdev_core_reset);
	INIT_WORK(&core->put_work, sdmdev_core_put_queues);

	mutex_lock(&core->lock);
	sdmdev_mode_detect(core);
	ret = sdmdev_mode_select(core, 0);
	mutex_unlock(&core->lock);
	if (ret) {
		kfree(core);
		return ret;
	}
	ret = sdmdev_params_add(core);
	if (ret)
		return ret;
	if (!strcmp(bus_name, "mdev"))
		request_module("sdmdev_mdev");
	core->bus = sdmdev_bus_get(bus_name);
	if (!core->bus) {
		dev_err(sdmdev->dev, "sdmdev: no bus \"%s\"\n", bus_name);
		ret = -ENODEV;
		goto del_params;
	}
	core->cls_dev = device_create(sdmdev_class, sdmdev->dev, MKDEV(0, 0), core, "%s",
				      dev_name(sdmdev->dev));
	if (IS_ERR(core->cls_dev)) {
		ret = PTR_ERR(core->cls_dev);
		goto put_bus;
	}
	sdmdev->core = core;
	ret = core->bus->add(core);
	if (ret)
		goto del_cls_dev;
	return 0;

del_cls_dev:
	sdmdev->core = NULL;
	device_unregister(core->cls_dev);
put_bus:
	module_put(core->bus->owner);
del_params:
	sdmdev_params_del(core);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_register);

/**
 * vfio_sdmdev_unregister() - takes the queues of a function away
 * @sdmdev: the function, registered
 *
 * Asks those who have a queue open to close it and returns when the last one did.
 */
void vfio_sdmdev_unregister(struct vfio_sdmdev *sdmdev)
{
	struct sdmdev_core *core = sdmdev->core;

	mutex_lock(&core->lock);
	core->is_unregistering = true;
	mutex_unlock(&core->lock);
	core->bus->del(core);
	flush_work(&core->reset_work);

	mutex_lock(&core->state_lock);
	/* What no reset could stop must lose its way to memory before that is freed. */
	if (core->stuck_nr && dev_is_pci(sdmdev->dev))
		pci_clear_master(to_pci_dev(sdmdev->dev));
	sdmdev_core_free_retired(core);
	mutex_unlock(&core->state_lock);
	flush_work(&core->put_work);

	device_unregister(core->cls_dev);
	module_put(core->bus->owner);
	sdmdev->core = NULL;
	sdmdev_params_del(core);
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_unregister);

static int __init sdmdev_init(void)
{
	int ret;

	sdmdev_class = compat_class_create(SDMDEV_CLASS_NAME);
	if (IS_ERR(sdmdev_class))
		return PTR_ERR(sdmdev_class);
	ret = sdmdev_own_bus_init();
	if (ret)
		class_destroy(sdmdev_class);
	return ret;
}
module_init(sdmdev_init);

static void __exit sdmdev_exit(void)
{
	sdmdev_own_bus_exit();
	class_destroy(sdmdev_class);
}
module_exit(sdmdev_exit);

MODULE_DESCRIPTION("Accelerator queues as share domain mediated devices");
MODULE_LICENSE("GPL");

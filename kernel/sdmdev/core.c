// SPDX-License-Identifier: GPL-2.0-only
/* Functions: registration, what holds for all queues of one, resets and their end. */

#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "compat.h"
#include "sdmdev.h"

#define SDMDEV_LEAVE_MS 3000

static char *bus_name = "sdmdev";
module_param_named(bus, bus_name, charp, 0444);
MODULE_PARM_DESC(bus, "where queues appear: sdmdev (own bus) or mdev");

static struct class *sdmdev_class;
static LIST_HEAD(sdmdev_buses);
static DEFINE_MUTEX(sdmdev_buses_lock);

void sdmdev_bus_register(struct sdmdev_bus *bus)
{
	mutex_lock(&sdmdev_buses_lock);
	list_add_tail(&bus->node, &sdmdev_buses);
	mutex_unlock(&sdmdev_buses_lock);
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

/**
 * vfio_sdmdev_reset_begin() - the function failed or is about to be reset
 * @sdmdev: the function
 * @is_gone: it will not come back
 *
 * Every started queue becomes RESET, or DEAD, and none can be started. Waits for no user, calls no
 * op but @put_queue, may sleep.
 */
void vfio_sdmdev_reset_begin(struct vfio_sdmdev *sdmdev, bool is_gone)
{
	sdmdev_life_reset_begin(&sdmdev->core->life, is_gone);
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_reset_begin);

/**
 * vfio_sdmdev_reset_done() - the function was reset and works
 * @sdmdev: the function
 *
 * Pairs with vfio_sdmdev_reset_begin(). No DMA of before is in flight. Queues may be started, and
 * quarantined memory is freed. As that, waits for no user.
 */
void vfio_sdmdev_reset_done(struct vfio_sdmdev *sdmdev)
{
	sdmdev_life_reset_end(&sdmdev->core->life, true);
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_reset_done);

/* A queue could not be stopped. */
static int sdmdev_core_reset(struct sdmdev_life *life)
{
	struct vfio_sdmdev *sdmdev = container_of(life, struct sdmdev_core, life)->sdmdev;

	return sdmdev->ops->reset ? sdmdev->ops->reset(sdmdev) : -EOPNOTSUPP;
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
	    !ops->stop_queue || !ops->get_position || !ops->is_q_updated || !ops->mask_notify)
		return -EINVAL;
	return 0;
}

/**
 * vfio_sdmdev_load_bus() - loads the module of the bus where queues will appear
 *
 * Before vfio_sdmdev_register(), with no lock held: waits for user space.
 */
void vfio_sdmdev_load_bus(void)
{
	if (!strcmp(bus_name, "mdev"))
		request_module("sdmdev_mdev");
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_load_bus);

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
	core->vfio_ops = &sdmdev_vfio_ops;
	mutex_init(&core->lock);
	sdmdev_life_init(&core->life, sdmdev->dev, sdmdev_core_reset);
	INIT_LIST_HEAD(&core->spaces);
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

	/*
	 * Closed queues may still have work. What does not end in time is ended by a reset; what no
	 * reset can stop must lose its way to memory before that is freed.
	 */
	sdmdev_life_wait(&core->life, msecs_to_jiffies(SDMDEV_LEAVE_MS));
	if (!sdmdev_life_end(&core->life) && dev_is_pci(sdmdev->dev))
		pci_clear_master(to_pci_dev(sdmdev->dev));
	sdmdev_life_stop(&core->life);
	sdmdev_life_wait(&core->life, MAX_SCHEDULE_TIMEOUT);
	flush_workqueue(sdmdev_wq);
	flush_workqueue(sdmdev_free_wq);

	device_unregister(core->cls_dev);
	module_put(core->bus->owner);
	sdmdev->core = NULL;
	sdmdev_params_del(core);
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_unregister);

static int __init sdmdev_init(void)
{
	int ret;

	ret = sdmdev_wq_init();
	if (ret)
		return ret;
	sdmdev_class = compat_class_create(SDMDEV_CLASS_NAME);
	if (IS_ERR(sdmdev_class)) {
		ret = PTR_ERR(sdmdev_class);
		goto exit_wq;
	}
	ret = sdmdev_own_bus_init();
	if (ret)
		goto destroy_class;
	sdmdev_bus_register(&sdmdev_own_bus);
	return 0;

destroy_class:
	class_destroy(sdmdev_class);
exit_wq:
	sdmdev_wq_exit();
	return ret;
}
module_init(sdmdev_init);

static void __exit sdmdev_exit(void)
{
	sdmdev_bus_unregister(&sdmdev_own_bus);
	sdmdev_own_bus_exit();
	class_destroy(sdmdev_class);
	sdmdev_charge_exit();
	sdmdev_wq_exit();
}
module_exit(sdmdev_exit);

MODULE_DESCRIPTION("Accelerator queues as share domain mediated devices");
MODULE_LICENSE("GPL");

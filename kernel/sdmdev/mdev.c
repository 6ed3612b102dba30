// SPDX-License-Identifier: GPL-2.0-only
/* Queues on the kernel's bus of mediated devices, for tools that know that one. */

#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "sdmdev.h"

/* One driver for each parent: what it says of its devices is the parent's. */
struct sdmdev_mdev {
	struct mdev_parent parent;
	struct mdev_driver driver;
	struct mdev_type type;
	struct mdev_type *types[1];
	struct sdmdev_core *core;
	char name[64];
};

static struct sdmdev_mdev *to_sdmdev_mdev(struct mdev_type *type)
{
	return container_of(type, struct sdmdev_mdev, type);
}

static int sdmdev_mdev_probe(struct mdev_device *mdev)
{
	return sdmdev_queue_create(to_sdmdev_mdev(mdev->type)->core, &mdev->dev);
}

static void sdmdev_mdev_remove(struct mdev_device *mdev)
{
	sdmdev_queue_destroy(&mdev->dev);
}

static unsigned int sdmdev_mdev_get_available(struct mdev_type *type)
{
	return sdmdev_queue_available(to_sdmdev_mdev(type)->core);
}

static ssize_t sdmdev_mdev_show_description(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_sdmdev_mdev(type)->core->sdmdev->algs);
}

static int sdmdev_mdev_add(struct sdmdev_core *core)
{
	struct vfio_sdmdev *sdmdev = core->sdmdev;
	struct sdmdev_mdev *mdev;
	int ret;

	mdev = kzalloc(sizeof(*mdev), GFP_KERNEL);
	if (!mdev)
		return -ENOMEM;
	mdev->core = core;
	mdev->type.sysfs_name = sdmdev->name;
	mdev->types[0] = &mdev->type;
	snprintf(mdev->name, sizeof(mdev->name), "sdmdev-%s", dev_name(sdmdev->dev));
	mdev->driver = (struct mdev_driver) {
		.device_api = sdmdev->api_ver,
		.probe = sdmdev_mdev_probe,
		.remove = sdmdev_mdev_remove,
		.get_available = sdmdev_mdev_get_available,
		.show_description = sdmdev_mdev_show_description,
		.driver = {
			.name = mdev->name,
			.owner = THIS_MODULE,
		},
	};
	ret = mdev_register_driver(&mdev->driver);
	if (ret)
		goto free_mdev;
	core->bus_priv = mdev;
	ret = mdev_register_parent(&mdev->parent, sdmdev->dev, &mdev->driver, mdev->types, 1);
	if (!ret)
		return 0;
	mdev_unregister_driver(&mdev->driver);
free_mdev:
	kfree(mdev);
	return ret;
}

static void sdmdev_mdev_del(struct sdmdev_core *core)
{
	struct sdmdev_mdev *mdev = core->bus_priv;

	mdev_unregister_parent(&mdev->parent);
	mdev_unregister_driver(&mdev->driver);
	kfree(mdev);
}

static struct sdmdev_bus sdmdev_mdev_bus = {
	.name = "mdev",
	.owner = THIS_MODULE,
	.add = sdmdev_mdev_add,
	.del = sdmdev_mdev_del,
};

static int __init sdmdev_mdev_init(void)
{
	sdmdev_bus_register(&sdmdev_mdev_bus);
	return 0;
}
module_init(sdmdev_mdev_init);

static void __exit sdmdev_mdev_exit(void)
{
	sdmdev_bus_unregister(&sdmdev_mdev_bus);
}
module_exit(sdmdev_mdev_exit);

MODULE_DESCRIPTION("Accelerator queues as mediated devices");
MODULE_LICENSE("GPL");

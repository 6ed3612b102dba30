// SPDX-License-Identifier: GPL-2.0-only
/* Our own bus: queues by uuid, in the shape mediated devices have, where the kernel has none. */

#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include <linux/wait.h>

#include "compat.h"
#include "sdmdev.h"

/* The type directory of a parent; bus_priv of its core. */
struct sdmdev_type {
	struct kobject kobj;
	struct kobject *types; /* mdev_supported_types */
	struct sdmdev_core *core;
	wait_queue_head_t wait;

	struct mutex lock; /* guards the children */
	struct list_head children;
};

struct sdmdev_child {
	struct device dev;
	struct list_head node; /* type->lock */
	struct sdmdev_type *type;
	guid_t uuid;
	bool is_going; /* type->lock */
};

static struct sdmdev_child *to_child(struct device *dev)
{
	return container_of(dev, struct sdmdev_child, dev);
}

/* Devices are bound by name, never by matching. */
static int sdmdev_bus_match(struct device *dev, COMPAT_MATCH_DRIVER *driver)
{
	return 0;
}

static int sdmdev_bus_probe(struct device *dev)
{
	return sdmdev_queue_create(to_child(dev)->type->core, dev);
}

static void sdmdev_bus_remove(struct device *dev)
{
	sdmdev_queue_destroy(dev);
}

static struct bus_type sdmdev_bus_type = {
	.name = "sdmdev",
	.match = sdmdev_bus_match,
	.probe = sdmdev_bus_probe,
	.remove = sdmdev_bus_remove,
};

static struct device_driver sdmdev_bus_driver = {
	.name = "sdmdev",
	.owner = THIS_MODULE,
	.bus = &sdmdev_bus_type,
	.suppress_bind_attrs = true,
};

/* Whoever comes first removes it; -ENODEV for the others. */
static int sdmdev_child_claim(struct sdmdev_child *child)
{
	int ret;

	mutex_lock(&child->type->lock);
	ret = child->is_going ? -ENODEV : 0;
	child->is_going = true;
	mutex_unlock(&child->type->lock);
	return ret;
}

static void sdmdev_child_del(struct sdmdev_child *child)
{
	struct sdmdev_type *type = child->type;

	device_del(&child->dev);
	mutex_lock(&type->lock);
	list_del(&child->node);
	wake_up_all(&type->wait);
	mutex_unlock(&type->lock);
	put_device(&child->dev);
}

static ssize_t remove_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t len)
{
	struct sdmdev_child *child = to_child(dev);
	bool is_wanted;
	int ret;

	ret = kstrtobool(buf, &is_wanted);
	if (ret || !is_wanted)
		return ret ? ret : len;
	ret = sdmdev_child_claim(child);
	if (ret)
		return ret;
	/* Or the removal would wait for this very call. */
	device_remove_file_self(dev, attr);
	sdmdev_child_del(child);
	return len;
}
static DEVICE_ATTR_WO(remove);

static struct attribute *sdmdev_child_attrs[] = {
	&dev_attr_remove.attr,
	NULL,
};
ATTRIBUTE_GROUPS(sdmdev_child);

static void sdmdev_child_release(struct device *dev)
{
	struct sdmdev_child *child = to_child(dev);

	kobject_put(&child->type->kobj);
	kfree(child);
}

static int sdmdev_child_list(struct sdmdev_type *type, struct sdmdev_child *child)
{
	struct sdmdev_child *other;
	int ret = 0;

	mutex_lock(&type->lock);
	list_for_each_entry(other, &type->children, node)
		if (guid_equal(&other->uuid, &child->uuid))
			ret = -EEXIST;
	if (!ret)
		list_add_tail(&child->node, &type->children);
	mutex_unlock(&type->lock);
	return ret;
}

static int sdmdev_child_create(struct sdmdev_type *type, const guid_t *uuid)
{
	struct sdmdev_child *child;
	int ret;

	child = kzalloc(sizeof(*child), GFP_KERNEL);
	if (!child)
		return -ENOMEM;
	kobject_get(&type->kobj);
	child->type = type;
	child->uuid = *uuid;
	child->is_going = true; /* until it is complete */
	device_initialize(&child->dev);
	child->dev.parent = type->core->sdmdev->dev;
	child->dev.bus = &sdmdev_bus_type;
	child->dev.release = sdmdev_child_release;
	child->dev.groups = sdmdev_child_groups;
	ret = dev_set_name(&child->dev, "%pUl", uuid);
	if (!ret)
		ret = sdmdev_child_list(type, child);
	if (ret)
		goto put_child;
	ret = device_add(&child->dev);
	if (ret)
		goto unlist;
	ret = device_driver_attach(&sdmdev_bus_driver, &child->dev);
	if (ret) {
		sdmdev_child_del(child);
		return ret;
	}
	mutex_lock(&type->lock);
	child->is_going = false;
	mutex_unlock(&type->lock);
	return 0;

unlist:
	mutex_lock(&type->lock);
	list_del(&child->node);
	mutex_unlock(&type->lock);
put_child:
	put_device(&child->dev);
	return ret;
}

struct sdmdev_type_attr {
	struct attribute attr;
	ssize_t (*show)(struct sdmdev_type *type, char *buf);
	ssize_t (*store)(struct sdmdev_type *type, const char *buf, size_t len);
};

static ssize_t sdmdev_type_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	struct sdmdev_type_attr *type_attr = container_of(attr, struct sdmdev_type_attr, attr);

	if (!type_attr->show)
		return -EIO;
	return type_attr->show(container_of(kobj, struct sdmdev_type, kobj), buf);
}

static ssize_t sdmdev_type_store(struct kobject *kobj, struct attribute *attr, const char *buf,
				 size_t len)
{
	struct sdmdev_type_attr *type_attr = container_of(attr, struct sdmdev_type_attr, attr);

	if (!type_attr->store)
		return -EIO;
	return type_attr->store(container_of(kobj, struct sdmdev_type, kobj), buf, len);
}

static const struct sysfs_ops sdmdev_type_ops = {
	.show = sdmdev_type_show,
	.store = sdmdev_type_store,
};

static ssize_t available_instances_show(struct sdmdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%d\n", sdmdev_queue_available(type->core));
}

static ssize_t create_store(struct sdmdev_type *type, const char *buf, size_t len)
{
	char text[UUID_STRING_LEN + 1];
	guid_t uuid;
	int ret;

	if (len < UUID_STRING_LEN || len > UUID_STRING_LEN + 1 ||
	    (len == UUID_STRING_LEN + 1 && buf[UUID_STRING_LEN] != '\n'))
		return -EINVAL;
	strscpy(text, buf, sizeof(text));
	ret = guid_parse(text, &uuid);
	if (!ret)
		ret = sdmdev_child_create(type, &uuid);
	return ret ? ret : len;
}

static ssize_t description_show(struct sdmdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", type->core->sdmdev->algs);
}

static ssize_t device_api_show(struct sdmdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", type->core->sdmdev->api_ver);
}

static ssize_t name_show(struct sdmdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", type->core->sdmdev->name);
}

static const struct sdmdev_type_attr type_available_instances = __ATTR_RO(available_instances);
static const struct sdmdev_type_attr type_create = __ATTR_WO(create);
static const struct sdmdev_type_attr type_description = __ATTR_RO(description);
static const struct sdmdev_type_attr type_device_api = __ATTR_RO(device_api);
static const struct sdmdev_type_attr type_name = __ATTR_RO(name);

static const struct attribute *const sdmdev_type_attrs[] = {
	&type_available_instances.attr,
	&type_create.attr,
	&type_description.attr,
	&type_device_api.attr,
	&type_name.attr,
	NULL,
};

static void sdmdev_type_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct sdmdev_type, kobj));
}

static const struct kobj_type sdmdev_type_ktype = {
	.sysfs_ops = &sdmdev_type_ops,
	.release = sdmdev_type_release,
};

static int sdmdev_own_bus_add(struct sdmdev_core *core)
{
	struct vfio_sdmdev *sdmdev = core->sdmdev;
	struct kobject *types;
	struct sdmdev_type *type;
	int ret;

	types = kobject_create_and_add("mdev_supported_types", &sdmdev->dev->kobj);
	if (!types)
		return -ENOMEM;
	type = kzalloc(sizeof(*type), GFP_KERNEL);
	if (!type) {
		ret = -ENOMEM;
		goto put_types;
	}
	type->core = core;
	type->types = types;
	mutex_init(&type->lock);
	INIT_LIST_HEAD(&type->children);
	init_waitqueue_head(&type->wait);
	core->bus_priv = type;
	ret = kobject_init_and_add(&type->kobj, &sdmdev_type_ktype, types, "%s-%s",
				   dev_driver_string(sdmdev->dev), sdmdev->name);
	if (!ret)
		ret = sysfs_create_files(&type->kobj, sdmdev_type_attrs);
	if (!ret)
		return 0;
	kobject_put(&type->kobj);
put_types:
	kobject_put(types);
	return ret;
}

/* A child that nobody else removes already. */
static struct sdmdev_child *sdmdev_type_claim_child(struct sdmdev_type *type)
{
	struct sdmdev_child *child, *found = NULL;

	mutex_lock(&type->lock);
	list_for_each_entry(child, &type->children, node)
		if (!child->is_going) {
			child->is_going = true;
			found = child;
			break;
		}
	mutex_unlock(&type->lock);
	return found;
}

static void sdmdev_own_bus_del(struct sdmdev_core *core)
{
	struct sdmdev_type *type = core->bus_priv;
	struct sdmdev_child *child;

	/* Waits for who is creating one. */
	kobject_del(&type->kobj);
	while ((child = sdmdev_type_claim_child(type)))
		sdmdev_child_del(child);
	wait_event(type->wait, list_empty_careful(&type->children));
	mutex_lock(&type->lock); /* which the last one has let go of then */
	mutex_unlock(&type->lock);
	kobject_put(type->types);
	kobject_put(&type->kobj);
}

struct sdmdev_bus sdmdev_own_bus = {
	.name = "sdmdev",
	.owner = THIS_MODULE,
	.add = sdmdev_own_bus_add,
	.del = sdmdev_own_bus_del,
};

int sdmdev_own_bus_init(void)
{
	int ret;

	ret = bus_register(&sdmdev_bus_type);
	if (ret)
		return ret;
	ret = driver_register(&sdmdev_bus_driver);
	if (ret)
		bus_unregister(&sdmdev_bus_type);
	return ret;
}

void sdmdev_own_bus_exit(void)
{
	driver_unregister(&sdmdev_bus_driver);
	bus_unregister(&sdmdev_bus_type);
}

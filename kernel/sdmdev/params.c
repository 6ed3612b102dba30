// SPDX-License-Identifier: GPL-2.0-only
/* The attribute directory "params" of a parent device. */

#include <linux/device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "sdmdev.h"

struct sdmdev_param {
	struct attribute attr;
	ssize_t (*show)(struct sdmdev_core *core, char *buf);
	ssize_t (*store)(struct sdmdev_core *core, const char *buf, size_t len);
};

static struct sdmdev_core *to_core(struct kobject *kobj)
{
	return container_of(kobj, struct sdmdev_core, params);
}

static ssize_t sdmdev_param_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	return container_of(attr, struct sdmdev_param, attr)->show(to_core(kobj), buf);
}

static ssize_t sdmdev_param_store(struct kobject *kobj, struct attribute *attr, const char *buf,
				  size_t len)
{
	struct sdmdev_param *param = container_of(attr, struct sdmdev_param, attr);

	return param->store ? param->store(to_core(kobj), buf, len) : -EIO;
}

static const struct sysfs_ops sdmdev_param_ops = {
	.show = sdmdev_param_show,
	.store = sdmdev_param_store,
};

static ssize_t algorithms_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%s\n", core->sdmdev->algs);
}

static ssize_t aperture_show(struct sdmdev_core *core, char *buf)
{
	struct sdmdev_span span;

	mutex_lock(&core->lock);
	span = sdmdev_window_largest(&core->window);
	mutex_unlock(&core->lock);
	if (span.first > span.last)
		return sysfs_emit(buf, "none\n");
	return sysfs_emit(buf, "0x%llx-0x%llx\n", span.first, span.last);
}

static ssize_t api_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%s\n", core->sdmdev->api_ver);
}

static ssize_t available_instances_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%d\n", sdmdev_queue_available(core));
}

static ssize_t dma_flag_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%u\n", core->dma_flag);
}

static ssize_t dma_mode_show(struct sdmdev_core *core, char *buf)
{
	u32 flag;

	mutex_lock(&core->lock);
	flag = core->mode->flag;
	mutex_unlock(&core->lock);
	return sysfs_emit(buf, "%u\n", flag);
}

static ssize_t dma_mode_store(struct sdmdev_core *core, const char *buf, size_t len)
{
	u32 flag;
	int ret;

	ret = kstrtou32(buf, 0, &flag);
	if (ret)
		return ret;
	/* With static memory or without is the mode's affair. */
	flag &= ~SDMDEV_DMA_STATIC;
	if (!flag)
		return -EINVAL;
	mutex_lock(&core->lock);
	ret = core->queues_nr ? -EBUSY : sdmdev_mode_select(core, flag);
	mutex_unlock(&core->lock);
	return ret ? ret : len;
}

static ssize_t iommu_type_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%d\n", SDMDEV_IOMMU_TYPE);
}

static ssize_t is_vf_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%d\n", core->sdmdev->is_vf);
}

static ssize_t node_id_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%d\n", dev_to_node(core->sdmdev->dev));
}

static ssize_t page_shift_mmio_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%d\n", PAGE_SHIFT);
}

static ssize_t region_max_show(struct sdmdev_core *core, char *buf)
{
	return sysfs_emit(buf, "%llu\n", sdmdev_static_max());
}

static ssize_t state_show(struct sdmdev_core *core, char *buf)
{
	const char *state = "ok";

	/* As of now, whoever holds the lock. */
	if (READ_ONCE(core->life.is_gone))
		state = "dead";
	else if (READ_ONCE(core->life.resets_nr))
		state = "resetting";
	else if (READ_ONCE(core->life.is_isolated))
		state = "isolated";
	return sysfs_emit(buf, "%s\n", state);
}

#define SDMDEV_PARAM_RO(_name) static const struct sdmdev_param param_##_name = __ATTR_RO(_name)

SDMDEV_PARAM_RO(algorithms);
SDMDEV_PARAM_RO(aperture);
SDMDEV_PARAM_RO(api);
SDMDEV_PARAM_RO(available_instances);
SDMDEV_PARAM_RO(dma_flag);
static const struct sdmdev_param param_dma_mode = __ATTR_RW(dma_mode);
SDMDEV_PARAM_RO(iommu_type);
SDMDEV_PARAM_RO(is_vf);
SDMDEV_PARAM_RO(node_id);
SDMDEV_PARAM_RO(page_shift_mmio);
SDMDEV_PARAM_RO(region_max);
SDMDEV_PARAM_RO(state);

static const struct attribute *const sdmdev_params[] = {
	&param_algorithms.attr,
	&param_aperture.attr,
	&param_api.attr,
	&param_available_instances.attr,
	&param_dma_flag.attr,
	&param_dma_mode.attr,
	&param_iommu_type.attr,
	&param_is_vf.attr,
	&param_node_id.attr,
	&param_page_shift_mmio.attr,
	&param_region_max.attr,
	&param_state.attr,
	NULL,
};

static void sdmdev_params_release(struct kobject *kobj)
{
	kfree(to_core(kobj));
}

static const struct kobj_type sdmdev_params_type = {
	.sysfs_ops = &sdmdev_param_ops,
	.release = sdmdev_params_release,
};

int sdmdev_params_add(struct sdmdev_core *core)
{
	int ret;

	ret = kobject_init_and_add(&core->params, &sdmdev_params_type, &core->sdmdev->dev->kobj,
				   SDMDEV_PARAMS_NAME);
	if (!ret)
		ret = sysfs_create_files(&core->params, sdmdev_params);
	if (ret)
		kobject_put(&core->params);
	return ret;
}

void sdmdev_params_del(struct sdmdev_core *core)
{
	kobject_del(&core->params);
	kobject_put(&core->params);
}

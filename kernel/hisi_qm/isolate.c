// SPDX-License-Identifier: GPL-2.0-only
/*
 * Isolation: a function whose hardware needs resets too often is not used any more. Attributes as
 * mainline's, chapter 22.6 of the hardware reference, of the PCI function.
 */
#include <linux/slab.h>
#include <linux/sysfs.h>
#include "priv.h"

#define PERIOD (3600ul * HZ)
#define STRATEGY_MAX 65535

struct error {
	struct list_head link;
	unsigned long when; /* jiffies */
};

void wd_qm_isolate_init(struct wd_qm *qm)
{
	mutex_init(&qm->isolate.lock);
	INIT_LIST_HEAD(&qm->isolate.errors);
}

/* Those that happened before a time; lock held. */
static void forget(struct wd_qm_isolate *isolate, unsigned long before)
{
	struct error *error, *next;

	list_for_each_entry_safe(error, next, &isolate->errors, link) {
		if (time_after(error->when, before))
			continue;
		list_del(&error->link);
		kfree(error);
		isolate->nr--;
	}
}

void wd_qm_isolate_fini(struct wd_qm *qm)
{
	forget(&qm->isolate, jiffies);
}

void wd_qm_isolate_set(struct wd_qm *qm, bool is_isolated)
{
	WRITE_ONCE(qm->isolate.is_isolated, is_isolated);
}

/* One more error that the hardware needs a reset for. What its users do is not counted. */
void wd_qm_isolate_count(struct wd_qm *qm)
{
	struct wd_qm_isolate *isolate = &qm->isolate;
	struct error *error;

	mutex_lock(&isolate->lock);
	if (!isolate->strategy || isolate->is_isolated)
		goto unlock;
	forget(isolate, jiffies - PERIOD);
	if (isolate->nr >= isolate->strategy) {
		pci_err(qm->pdev, "%u errors within an hour: isolated\n", isolate->nr + 1);
		wd_qm_isolate_set(qm, true);
		goto unlock;
	}
	error = kzalloc(sizeof(*error), GFP_KERNEL);
	if (!error)
		goto unlock;
	error->when = jiffies;
	list_add_tail(&error->link, &isolate->errors);
	isolate->nr++;
unlock:
	mutex_unlock(&isolate->lock);
}

static ssize_t isolate_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct wd_qm *qm = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", wd_qm_is_isolated(qm));
}
static DEVICE_ATTR_RO(isolate);

static ssize_t isolate_strategy_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct wd_qm *qm = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", READ_ONCE(qm->isolate.strategy));
}

/* A new strategy begins to count anew. Who is isolated stays so until the driver is bound again. */
static ssize_t isolate_strategy_store(struct device *dev, struct device_attribute *attr,
				      const char *buf, size_t len)
{
	struct wd_qm *qm = dev_get_drvdata(dev);
	u32 strategy;
	int ret;

	ret = kstrtou32(buf, 0, &strategy);
	if (ret)
		return ret;
	if (strategy > STRATEGY_MAX)
		return -EINVAL;
	mutex_lock(&qm->isolate.lock);
	if (wd_qm_is_isolated(qm)) {
		ret = -EPERM;
	} else {
		forget(&qm->isolate, jiffies);
		WRITE_ONCE(qm->isolate.strategy, strategy);
	}
	mutex_unlock(&qm->isolate.lock);
	return ret ? ret : len;
}
static DEVICE_ATTR_RW(isolate_strategy);

static struct attribute *attrs[] = {
	&dev_attr_isolate.attr,
	&dev_attr_isolate_strategy.attr,
	NULL
};

/* Errors are the PF's. */
static umode_t is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	struct wd_qm *qm = dev_get_drvdata(kobj_to_dev(kobj));

	return qm->is_vf && attr == &dev_attr_isolate_strategy.attr ? 0 : attr->mode;
}

static const struct attribute_group group = { .attrs = attrs, .is_visible = is_visible };

const struct attribute_group *wd_qm_groups[] = { &group, NULL };
EXPORT_SYMBOL_GPL(wd_qm_groups);

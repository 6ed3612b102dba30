// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has a driver go through the recovery of a PCI error, one step at a time, as the PCI core does it
 * for a function whose slot is not reset; or shuts it down as at the machine's end, which does not
 * come: for the system test alone. pci=: the function; step: normal, frozen, failure (what is
 * detected), slot_reset, resume or shutdown; vote: what the driver answered, by its number in enum
 * pci_ers_result.
 */
#include <linux/module.h>
#include <linux/pci.h>

static char *name;
module_param_named(pci, name, charp, 0444);
MODULE_PARM_DESC(pci, "the function, DDDD:BB:DD.F");

static int vote;
module_param(vote, int, 0444);
MODULE_PARM_DESC(vote, "what the last step was answered");

static const struct {
	const char *name;
	pci_channel_state_t state;
} detections[] = {
	{ "normal", pci_channel_io_normal },
	{ "frozen", pci_channel_io_frozen },
	{ "failure", pci_channel_io_perm_failure },
};

static struct pci_dev *find(void)
{
	unsigned int domain, bus, slot, function;

	if (!name || sscanf(name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
}

/* The device's lock is held. */
static int take(struct pci_dev *pdev, const char *step)
{
	const struct pci_driver *driver = pdev->dev.driver ? to_pci_driver(pdev->dev.driver) : NULL;
	const struct pci_error_handlers *handlers = driver ? driver->err_handler : NULL;
	int i;

	if (!handlers)
		return -ENODEV;
	for (i = 0; i < ARRAY_SIZE(detections); i++)
		if (sysfs_streq(step, detections[i].name)) {
			pdev->error_state = detections[i].state;
			vote = (__force int)handlers->error_detected(pdev, detections[i].state);
			return 0;
		}
	if (sysfs_streq(step, "shutdown")) {
		if (driver->shutdown)
			driver->shutdown(pdev);
		return 0;
	}
	pdev->error_state = pci_channel_io_normal;
	if (sysfs_streq(step, "slot_reset"))
		vote = handlers->slot_reset ? (__force int)handlers->slot_reset(pdev) : 0;
	else if (!sysfs_streq(step, "resume"))
		return -EINVAL;
	else if (handlers->resume)
		handlers->resume(pdev);
	return 0;
}

static int step_set(const char *step, const struct kernel_param *param)
{
	struct pci_dev *pdev = find();
	int ret;

	if (!pdev)
		return -ENODEV;
	device_lock(&pdev->dev);
	ret = take(pdev, step);
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return ret;
}

static const struct kernel_param_ops step_ops = { .set = step_set };
module_param_cb(step, &step_ops, NULL, 0200);
MODULE_PARM_DESC(step, "takes one: normal, frozen, failure, slot_reset, resume, shutdown");

static int __init errors_init(void)
{
	return 0;
}
module_init(errors_init);

static void __exit errors_exit(void)
{
}
module_exit(errors_exit);

MODULE_DESCRIPTION("steps of PCI error recovery for the system test of libz-wd");
MODULE_LICENSE("GPL");

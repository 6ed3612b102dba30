/* SPDX-License-Identifier: Zlib */
/* zwd doctor: is there a device, has a driver taken it, and which does WD_DEVICE choose? */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/doctor/checks.h"
#include "tools/zwd/doctor/report.h"
#include "tools/zwd/doctor/tree.h"

#define PCI	  "/sys/bus/pci/devices"
#define VENDOR	  0x19e5 /* HiSilicon's ZIP engine: physical and virtual function */
#define DEVICE_PF 0xa250
#define DEVICE_VF 0xa251

/* A device that is there, but in neither class: why. */
static void tell_function(const char *function, const char *driver)
{
	long long mode = tree_number(tree_path("/sys/module/hisi_zip/parameters/uacce_mode"), -1);

	if (!*driver)
		report(REPORT_WRONG, "module",
		       "modprobe wd_hisi_zip, or modprobe hisi_zip uacce_mode=1; see kernel/README",
		       "no driver has %s: its module is not loaded", function);
	else if (!strcmp(driver, "hisi_zip") && mode == 0)
		report(REPORT_WRONG, "mode",
		       "options hisi_zip uacce_mode=1 in /etc/modprobe.d, and load it anew",
		       "hisi_zip has %s, but was loaded with uacce_mode=0", function);
	else if (!strcmp(driver, "hisi_zip"))
		report(REPORT_WRONG, "sva",
		       "turn the IOMMU on in firmware and kernel, or use the sdmdev modules",
		       "hisi_zip has %s, but the kernel made no uacce device of it", function);
	else
		report(REPORT_WRONG, "module", "give it to wd_hisi_zip or hisi_zip",
		       "the driver %s has %s", driver, function);
}

static void check_hardware(void)
{
	char **functions = tree_names(tree_path(PCI)), driver[64];
	unsigned int nr = 0;

	for (char **function = functions; function && *function; function++) {
		long long device = tree_number(tree_path(PCI "/%s/device", *function), 0);

		if (tree_number(tree_path(PCI "/%s/vendor", *function), 0) != VENDOR ||
		    (device != DEVICE_PF && device != DEVICE_VF))
			continue;
		nr++;
		if (!tree_link(tree_path(PCI "/%s/driver", *function), driver, sizeof(driver)))
			*driver = '\0';
		tell_function(*function, driver);
	}
	free(functions);
	if (!nr)
		report(REPORT_WRONG, "hardware",
		       "WD_DEVICE=emu chooses an emulated device, to try things",
		       "this machine has no ZIP accelerator that is known");
}

static void check_iommu(void)
{
	char **iommus = tree_names(tree_path("/sys/class/iommu"));

	if (iommus && *iommus)
		report(REPORT_GOOD, "iommu", NULL, "the IOMMU is in use");
	else
		report(REPORT_WARNING, "iommu",
		       "turn it on in firmware and kernel (intel_iommu=on, or SMMU in the "
		       "firmware)",
		       "no IOMMU is in use: only sdmdev's mediated mode works");
	free(iommus);
}

/* Is the device named by the list, or is any good? */
static bool is_chosen(const struct subject *subject, const char *name)
{
	const char *list = subject->settings.device;

	for (; *list; list += strcspn(list, ","), list += *list == ',') {
		size_t len = strcspn(list, ",");

		if ((len == 4 && !strncmp(list, "auto", 4)) ||
		    (len == strlen(name) && !strncmp(list, name, len)))
			return true;
	}
	return false;
}

/* How many there are in the class; adds to free the queues that are. */
static unsigned int check_class(const struct subject *subject, const char *class,
				unsigned int (*check)(const struct subject *subject,
						      const char *name),
				unsigned int *free_nr)
{
	char **names = tree_names(tree_path("/sys/class/%s", class));
	unsigned int nr = 0;

	for (char **name = names; name && *name; name++, nr++) {
		if (is_chosen(subject, *name))
			*free_nr += check(subject, *name);
		else
			report(REPORT_WARNING, "device", NULL, "%s is not among WD_DEVICE = %s",
			       *name, subject->settings.device);
	}
	free(names);
	return nr;
}

void check_devices(const struct subject *subject)
{
	const char *device = subject->settings.device;
	unsigned int nr, free_nr = 0;

	if (!strcmp(device, "none")) {
		report(REPORT_WRONG, "device", "unset WD_DEVICE, or set it to auto",
		       "WD_DEVICE = none: no device is wanted");
		return;
	}
	if (!strncmp(device, "emu", 3)) {
		report(REPORT_GOOD, "device", NULL, "%s: the emulated device, which takes CPU time",
		       device);
		return;
	}
	nr = check_class(subject, "sdmdev", check_sdmdev, &free_nr);
	nr += check_class(subject, "uacce", check_uacce, &free_nr);
	if (!nr)
		check_hardware();
	else
		check_iommu();
}

/* SPDX-License-Identifier: Zlib */
/* Devices and queues of sdmdev in sysfs. */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "transport/sdmdev.h"
#include "transport/sys.h"
#include "transport/transport.h"
#include "wd_zip.h"

#define CLASS_PATH "/sys/class/" SDMDEV_CLASS_NAME

static int is_uuid(const char *name)
{
	for (int i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? name[i] != '-'
		    : !name[i] || !strchr("0123456789abcdefABCDEF", name[i]))
			return 0;
	return !name[36];
}

int sdmdev_group(const char *parent, const char *name)
{
	char path[SDMDEV_PATH_LEN], link[SDMDEV_PATH_LEN];
	const char *number;
	int r;

	if (!is_uuid(name))
		return -ENODEV;
	r = snprintf(path, sizeof(path), CLASS_PATH "/%s/device/%s/iommu_group", parent, name);
	if (r >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = wd_sys->readlink(path, link, sizeof(link));
	if (r)
		return r;
	number = strrchr(link, '/');
	number = number ? number + 1 : link;
	if (!*number || number[strspn(number, "0123456789")] || strlen(number) > 9)
		return -ENODEV;
	return atoi(number);
}

static int param(const char *parent, const char *name, char *text, size_t text_len)
{
	char path[SDMDEV_PATH_LEN];

	if (snprintf(path, sizeof(path), CLASS_PATH "/%s/device/" SDMDEV_PARAMS_NAME "/%s", parent,
		     name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return wd_sys->read(path, text, text_len);
}

int sdmdev_queue_names(const char *parent, char **names)
{
	char path[SDMDEV_PATH_LEN];

	if (snprintf(path, sizeof(path), CLASS_PATH "/%s/device", parent) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return wd_sys->names(path, names);
}

static void count_queues(const char *parent, struct wd_device_info *info)
{
	char path[SDMDEV_PATH_LEN];
	char *names;

	if (sdmdev_queue_names(parent, &names) < 0)
		return;
	for (const char *name = names; *name; name += strlen(name) + 1) {
		int group = sdmdev_group(parent, name);

		if (group < 0)
			continue;
		snprintf(path, sizeof(path), SDMDEV_VFIO_PATH "/%d", group);
		info->queues_total++;
		info->queues_free += !wd_sys->access(path, R_OK | W_OK);
	}
	free(names);
}

static const struct {
	unsigned long flag;
	char mode[16];
} modes[] = {
	{ SDMDEV_DMA_SINGLE, "single" },
	{ SDMDEV_DMA_MEDIATED, "mediated" },
	{ SDMDEV_DMA_MULTI, "multi" },
	{ SDMDEV_DMA_SVM, "svm" },
	{ SDMDEV_DMA_SVM_NO_FAULT, "svm" },
	{ SDMDEV_DMA_PHY, "phy" },
};

static void describe_mode(struct wd_device_info *info)
{
	char text[32];
	unsigned long mode;

	if (param(info->name, "dma_mode", text, sizeof(text)))
		return;
	mode = strtoul(text, NULL, 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (mode & modes[i].flag) {
			strcpy(info->mode, modes[i].mode);
			return;
		}
}

/* One that is being reset works again soon. */
static void describe_state(struct wd_device_info *info)
{
	char path[SDMDEV_PATH_LEN], state[32] = "";
	long long is_isolated = 0;

	param(info->name, "state", state, sizeof(state));
	if (snprintf(path, sizeof(path), CLASS_PATH "/%s/device/isolate", info->name) < (int)sizeof(path))
		wd_sys_number(path, &is_isolated);
	if (!strcmp(state, "dead"))
		wd_info_refuse(info, -ENODEV, "it is gone, or was shut down");
	else if (!strcmp(state, "isolated"))
		wd_info_refuse(info, -EPERM, "its driver has isolated it: it could not be reset");
	else if (is_isolated)
		wd_info_refuse(info, -EPERM, "its driver has isolated it: too many errors within an hour "
			       "(isolate_strategy)");
}

/* 1: it is a device that libwd may know what to do with. */
static int describe(const char *parent, struct wd_device_info *info)
{
	char algs[256], node[32];

	*info = (struct wd_device_info){
		.transport = "sdmdev", .numa_node = -1, .max_len = WD_ZIP_MAX_LEN,
	};
	if (strlen(parent) >= sizeof(info->name) ||
	    param(parent, "api", info->api, sizeof(info->api)) ||
	    param(parent, "algorithms", algs, sizeof(algs)))
		return 0;
	wd_sys_algs(algs, info->algs, sizeof(info->algs));
	if (!*info->algs)
		return 0;
	strcpy(info->name, parent);
	if (!param(parent, "node_id", node, sizeof(node)) && *node)
		info->numa_node = atoi(node);
	describe_mode(info);
	describe_state(info);
	count_queues(parent, info);
	return 1;
}

int sdmdev_prepare(const char *options)
{
	return wd_sys_exists(CLASS_PATH);
}

int sdmdev_list(const char *options, struct wd_device_info *info, unsigned int nr)
{
	return wd_sys_list(CLASS_PATH, describe, info, nr);
}

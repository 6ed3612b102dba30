/* SPDX-License-Identifier: Zlib */
/* Devices of uacce in sysfs, and which of them cannot be opened for reasons that are known. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "transport/sys.h"
#include "transport/transport.h"
#include "transport/uacce.h"
#include "wd_zip.h"

static int attribute(const char *name, const char *attr, char *text, size_t text_len)
{
	char path[UACCE_PATH_LEN];

	if (snprintf(path, sizeof(path), UACCE_CLASS_PATH "/%s/%s", name, attr) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return wd_sys->read(path, text, text_len);
}

long long uacce_number(const char *name, const char *attr, long long without)
{
	char path[UACCE_PATH_LEN];

	if (snprintf(path, sizeof(path), UACCE_CLASS_PATH "/%s/%s", name, attr) < (int)sizeof(path))
		wd_sys_number(path, &without);
	return without;
}

static const struct {
	long long flag;
	char mode[8];
} modes[] = {
	{ UACCE_DEV_SVA, "sva" },
	{ UACCE_DEV_IOMMU, "iommu" },
	{ UACCE_DEV_NOIOMMU, "noiommu" },
};

/* The road of memory; without an IOMMU the vendor says so in the api as well. */
static void describe_mode(struct wd_device_info *info)
{
	long long flags = uacce_number(info->name, "flags", 0);
	char *suffix = strstr(info->api, "_noiommu");

	if (suffix)
		*suffix = 0;
	if (suffix && !(flags & UACCE_DEV_SVA))
		flags |= UACCE_DEV_NOIOMMU; /* whose number is another one in some kernels */
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (flags & modes[i].flag) {
			strcpy(info->mode, modes[i].mode);
			return;
		}
	wd_info_refuse(info, -EOPNOTSUPP,
		       "it has no way to reach memory that libwd knows (flags 0x%llx)", flags);
}

static void describe_isolation(struct wd_device_info *info)
{
	long long strategy = uacce_number(info->name, "isolate_strategy", 0);

	if (uacce_number(info->name, "isolate", 0) <= 0)
		return;
	if (strategy > 0)
		wd_info_refuse(info, -EPERM,
			       "its driver has isolated it: more than %lld errors within an hour, "
			       "or a reset that failed",
			       strategy);
	else
		wd_info_refuse(info, -EPERM, "its driver has isolated it: it could not be reset");
}

/* 1: it is a ZIP engine, if maybe one that cannot be used; other accelerators have the same api. */
static int describe(const char *name, struct wd_device_info *info)
{
	char algs[256];

	*info = (struct wd_device_info){
		.transport = "uacce",
		.max_len = WD_ZIP_MAX_LEN,
	};
	if (strlen(name) >= sizeof(info->name) ||
	    attribute(name, "api", info->api, sizeof(info->api)) ||
	    attribute(name, "algorithms", algs, sizeof(algs)))
		return 0;
	wd_sys_algs(algs, info->algs, sizeof(info->algs));
	if (!*info->algs)
		return 0;
	strcpy(info->name, name);
	info->numa_node = (int)uacce_number(name, "device/numa_node", -1);
	info->queues_free = (unsigned int)uacce_number(name, "available_instances", 0);
	info->queues_total = info->queues_free; /* those in use are counted nowhere */
	describe_mode(info);
	describe_isolation(info);
	return 1;
}

int uacce_prepare(const char *options)
{
	return wd_sys_exists(UACCE_CLASS_PATH);
}

int uacce_list(const char *options, struct wd_device_info *info, unsigned int nr)
{
	return wd_sys_list(UACCE_CLASS_PATH, describe, info, nr);
}

/*
 * Mainline's driver says that it shares address spaces also on a kernel that refuses to: only
 * opening it tells. It is closed at once.
 */
void uacce_try(struct wd_device_info *info)
{
	char path[UACCE_PATH_LEN];
	int r;

	snprintf(path, sizeof(path), "/dev/%s", info->name);
	r = wd_sys->open(path, O_RDWR);
	if (r >= 0) {
		wd_sys->close(r);
		return;
	}
	switch (r) {
	case -EBUSY: /* it has no queue just now */
	case -EINTR:
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return;
	case -EPERM:
		wd_info_refuse(info, r, "its driver does not let it be opened: it may be isolated");
		return;
	case -EACCES:
		wd_info_refuse(info, r, "this user may not open %s", path);
		return;
	case -ENOENT:
		wd_info_refuse(info, r, "there is no %s", path);
		return;
	case -EOPNOTSUPP:
	case -ENODEV:
	case -EINVAL:
		if (!strcmp(info->mode, "sva")) {
			wd_info_refuse(
				info, r,
				"this kernel does not share address spaces with devices (SVA)");
			return;
		}
		/* fallthrough */
	default:
		wd_info_refuse(info, r, "it cannot be opened: %s", strerror(-r));
	}
}

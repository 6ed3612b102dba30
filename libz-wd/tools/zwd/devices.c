/* SPDX-License-Identifier: Zlib */
/* zwd list, zwd info: the devices that libwd can use, and what is known of them. */
#include "config.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "tools/zwd/commands.h"
#include "wd.h"

#define DEVICES_MAX 256

static struct wd_device_info devices[DEVICES_MAX];

/* How many devices there are, at most DEVICES_MAX; or, after saying why, the negative of an exit status. */
static int find_devices(const char *spec)
{
	int nr = wd_list_devices(spec, devices, DEVICES_MAX);

	if (nr == -EINVAL) {
		fprintf(stderr, "zwd: device specification not understood: %s\n",
			spec ? spec : "the value of WD_DEVICE");
		return -ZWD_USAGE;
	}
	if (nr < 0) {
		fprintf(stderr, "zwd: cannot list devices: %s\n", strerror(-nr));
		return -ZWD_FAILED;
	}
	return nr < DEVICES_MAX ? nr : DEVICES_MAX;
}

/* Behind "none" a list is checked, and no device looked for. */
int devices_check(const char *spec)
{
	char checked[1024];

	if (snprintf(checked, sizeof(checked), "none,%s", *spec ? spec : "auto") >=
	    (int)sizeof(checked))
		return -EINVAL;
	return wd_list_devices(checked, NULL, 0) == -EINVAL ? -EINVAL : 0;
}

int devices_first(const struct zwd_args *args, const struct wd_device_info **info)
{
	int nr = find_devices(args->words_nr ? args->words[0] : args->device);

	if (nr < 0)
		return -nr;
	if (!nr) {
		fprintf(stderr, "zwd: no such device\n");
		return ZWD_FAILED;
	}
	*info = &devices[0];
	return ZWD_DONE;
}

/* Names come from sysfs or from our own options: control characters are not printed raw. */
static void print_json_string(const char *key, const char *value)
{
	printf("\"%s\": \"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			printf("\\%c", *value);
		else if ((unsigned char)*value < 0x20)
			printf("\\u%04x", (unsigned char)*value);
		else
			putchar(*value);
	}
	printf("\", ");
}

static void print_json(const struct wd_device_info *info)
{
	printf("{");
	print_json_string("name", info->name);
	print_json_string("transport", info->transport);
	print_json_string("api", info->api);
	print_json_string("algs", info->algs);
	print_json_string("engine", info->engine);
	print_json_string("mode", info->mode);
	print_json_string("reason", info->reason);
	printf("\"numa_node\": %d, \"engines\": %u, \"queues_total\": %u, \"queues_free\": %u, "
	       "\"max_len\": %u, \"error\": %d, \"is_emulated\": %s}",
	       info->numa_node, info->engines, info->queues_total, info->queues_free,
	       info->max_len, info->error, info->is_emulated ? "true" : "false");
}

int devices_list(const struct zwd_args *args)
{
	int nr = find_devices(args->device);

	if (nr < 0)
		return -nr;
	if (args->is_json) {
		printf("[");
		for (int i = 0; i < nr; i++) {
			printf(i ? ",\n " : "");
			print_json(&devices[i]);
		}
		printf("]\n");
		return ZWD_DONE;
	}
	if (!nr) {
		fprintf(stderr, "zwd: no device\n");
		return ZWD_DONE;
	}
	printf("%-20s %-9s %-8s %-10s %-18s %4s %7s %s\n", "NAME", "TRANSPORT", "MODE", "API", "ALGORITHMS",
	       "NODE", "ENGINES", "QUEUES FREE");
	for (int i = 0; i < nr; i++) {
		const struct wd_device_info *info = &devices[i];

		printf("%-20s %-9s %-8s %-10s %-18s %4d %7u ", info->name, info->transport,
		       *info->mode ? info->mode : "-", info->api, info->algs, info->numa_node, info->engines);
		if (info->error)
			printf("none: %s\n", info->reason);
		else
			printf("%u of %u\n", info->queues_free, info->queues_total);
	}
	return ZWD_DONE;
}

static const char *mode_in_words(const char *mode)
{
	static const char *const words[][2] = {
		{ "single", "single: what one process shares, device address = address" },
		{ "multi", "multi: what each process shares, by PASID" },
		{ "svm", "svm: all of each process's memory" },
		{ "mediated", "mediated: the kernel's, and it checks each request" },
		{ "phy", "phy: all there is, without protection" },
		{ "sva", "sva: all of each process's memory" },
		{ "iommu", "iommu: the driver's, which all who use the device reach" },
		{ "noiommu", "noiommu: the driver's; who may open the device reaches all there is" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i][0], mode))
			return words[i][1];
	return mode;
}

int devices_info(const struct zwd_args *args)
{
	const struct wd_device_info *info;
	int r = devices_first(args, &info);

	if (r)
		return r;
	if (args->is_json) {
		print_json(info);
		printf("\n");
		return ZWD_DONE;
	}
	printf("name           %s\n", info->name);
	printf("transport      %s\n", info->transport);
	if (*info->mode)
		printf("memory         %s\n", mode_in_words(info->mode));
	printf("api            %s\n", info->api);
	printf("algorithms     %s\n", info->algs);
	if (info->is_emulated)
		printf("computed by    %s%s\n", info->engine,
		       strcmp(info->engine, "null") ? "" : " (computes nothing, for measurements)");
	if (info->numa_node >= 0)
		printf("numa node      %d\n", info->numa_node);
	else
		printf("numa node      not known\n");
	if (info->engines)
		printf("engines        %u\n", info->engines);
	else
		printf("engines        not known\n");
	if (info->error)
		printf("not usable     %s\n", info->reason);
	else
		printf("queues         %u free of %u\n", info->queues_free, info->queues_total);
	printf("request        at most %u bytes of input and of output\n", info->max_len);
	return ZWD_DONE;
}

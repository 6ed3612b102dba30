/* SPDX-License-Identifier: Zlib */
/* zwd doctor: one device of the kernel's own driver. */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/doctor/checks.h"
#include "tools/zwd/doctor/holders.h"
#include "tools/zwd/doctor/report.h"
#include "tools/zwd/doctor/tree.h"

#define SVA	0x1
/* Of the drivers that come with other kernels and with KAE. */
#define NOIOMMU 0x102
#define IOMMU	0x80

/* Of x86-64: releases from which on memory is said to be shareable, and sharing it is refused. */
static const struct {
	unsigned int major, minor, first;
} refusing[] = { { 6, 1, 164 }, { 6, 12, 69 } };

/* Debian's release says more than its name for the kernel. */
static bool version_of_kernel(unsigned int version[3])
{
	char text[512];
	const char *debian;

	if (tree_text(tree_path("/proc/version"), text, sizeof(text)) &&
	    (debian = strstr(text, " Debian ")) &&
	    sscanf(debian, " Debian %u.%u.%u", &version[0], &version[1], &version[2]) == 3)
		return true;
	return tree_text(tree_path("/proc/sys/kernel/osrelease"), text, sizeof(text)) &&
	       sscanf(text, "%u.%u.%u", &version[0], &version[1], &version[2]) == 3;
}

static bool is_refused(const char *name)
{
#if defined(__x86_64__)
	unsigned int version[3];

	if (!version_of_kernel(version))
		return false;
	for (size_t i = 0; i < sizeof(refusing) / sizeof(refusing[0]); i++) {
		if (version[0] != refusing[i].major || version[1] != refusing[i].minor ||
		    version[2] < refusing[i].first)
			continue;
		report(REPORT_WRONG, "kernel", "a later kernel (7.x), or the sdmdev modules",
		       "%s: Linux %u.%u.%u refuses shared virtual addresses on this kind of "
		       "machine, though it offers them",
		       name, version[0], version[1], version[2]);
		return true;
	}
#else
	(void)version_of_kernel;
	(void)refusing;
#endif
	return false;
}

/*
 * Without shared addresses: who opens the node reaches what others have, so that the udev rule leaves it
 * to root.
 */
static bool is_memory_reached(const struct subject *subject, const char *name, const char *mode,
			      const char *memory)
{
	static const char advice[] = "turn the IOMMU on, and load hisi_zip with uacce_mode=1";
	bool is_open = is_node_open(subject, name);

	if (is_open)
		report(REPORT_WARNING, "noiommu", advice,
		       "%s is in %s mode: whoever opens it reaches %s", name, mode, memory);
	else
		report(REPORT_WRONG, "noiommu", advice,
		       "%s is in %s mode, and so left to root: whoever opens it reaches %s", name,
		       mode, memory);
	return is_open;
}

static bool is_mode_good(const struct subject *subject, const char *name)
{
	long long flags = tree_number(tree_path("/sys/class/uacce/%s/flags", name), 0);
	char api[64] = "";

	tree_text(tree_path("/sys/class/uacce/%s/api", name), api, sizeof(api));
	if (strncmp(api, "hisi_qm_v", 9) || !strchr("123", api[9]) || !api[9] ||
	    (api[10] && api[10] != '_')) {
		report(REPORT_WRONG, "device", "a later libz-wd may know it, or the sdmdev modules",
		       "%s has queues that libz-wd does not know: \"%s\"", name, api);
		return false;
	}
	if (flags & SVA)
		return !is_refused(name);
	if (strstr(api, "_noiommu") || flags & NOIOMMU)
		return is_memory_reached(subject, name, "NOIOMMU", "all memory there is");
	if (flags & IOMMU)
		return is_memory_reached(subject, name, "IOMMU", "what others have there");
	report(REPORT_WRONG, "sva",
	       "turn the IOMMU on in firmware and kernel, or use the sdmdev modules",
	       "%s has no shared virtual addresses (flags %#llx)", name, flags);
	return false;
}

/* Whoever has the node open has a queue, or most likely more than one. */
static unsigned int check_queues(const char *name)
{
	long long free_nr =
		tree_number(tree_path("/sys/class/uacce/%s/available_instances", name), -1);
	char node[300], holders[512];
	unsigned int nr;

	snprintf(node, sizeof(node), "/dev/%s", name);
	nr = holders_of(node, holders, sizeof(holders));
	if (free_nr < 0) {
		report(REPORT_WRONG, "queues", NULL, "%s does not tell its queues", name);
		return 0;
	}
	if (!free_nr) {
		report(REPORT_WRONG, "queues", "end what has them, or limit it by ZWD_QUEUES",
		       "no queue of %s is free; held by %s", name,
		       *holders ? holders : "nobody that is seen");
		return 0;
	}
	report(REPORT_GOOD, "queues", NULL, "%s: %lld free%s%s", name, free_nr,
	       nr ? "; others held by " : "", nr ? holders : "");
	return (unsigned int)free_nr;
}

unsigned int check_uacce(const struct subject *subject, const char *name)
{
	long long numa = tree_number(tree_path("/sys/class/uacce/%s/device/numa_node", name), -1);
	char algs[512] = "", node[300];
	bool is_good;

	tree_text(tree_path("/sys/class/uacce/%s/algorithms", name), algs, sizeof(algs));
	if (!strstr(algs, "zlib") && !strstr(algs, "gzip") && !strstr(algs, "deflate"))
		return 0; /* another kind of accelerator */
	report(REPORT_GOOD, "device", NULL, "%s (uacce, NUMA node %lld)", name, numa);
	check_numa(subject, name, numa);
	is_good = is_mode_good(subject, name);
	if (tree_number(tree_path("/sys/class/uacce/%s/isolate", name), 0)) {
		report(REPORT_WRONG, "isolated", "see the kernel's log; reset or reload the driver",
		       "%s failed too often and was isolated", name);
		is_good = false;
	}
	/* Where the mode is why it is closed, that was said. */
	snprintf(node, sizeof(node), "/dev/%s", name);
	if (is_good)
		is_good = check_node(subject, node);
	return is_good ? check_queues(name) : 0;
}

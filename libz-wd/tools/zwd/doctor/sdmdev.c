/* SPDX-License-Identifier: Zlib */
/* zwd doctor: one device of the sdmdev modules. */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wd/sdmdev.h>
#include "tools/zwd/doctor/checks.h"
#include "tools/zwd/doctor/holders.h"
#include "tools/zwd/doctor/report.h"
#include "tools/zwd/doctor/tree.h"

#define CLASS "/sys/class/" SDMDEV_CLASS_NAME

static const char *mode_of(long long mode)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} modes[] = {
		{ SDMDEV_DMA_SINGLE, "single: one process at a time" },
		{ SDMDEV_DMA_MULTI, "multi" },
		{ SDMDEV_DMA_SVM, "svm" },
		{ SDMDEV_DMA_SVM_NO_FAULT, "svm without faults" },
		{ SDMDEV_DMA_PHY, "phy: for trusted processes" },
		{ SDMDEV_DMA_MEDIATED, "mediated: the kernel checks each request" },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (mode & modes[i].bit)
			return modes[i].name;
	return "not known";
}

static bool is_state_good(const char *name)
{
	char state[32] = "";

	tree_text(tree_path(CLASS "/%s/device/" SDMDEV_PARAMS_NAME "/state", name), state,
		  sizeof(state));
	if (!strcmp(state, "ok") || !*state)
		return true;
	if (!strcmp(state, "isolated"))
		report(REPORT_WRONG, "isolated", "see the kernel's log; reload the driver",
		       "%s failed too often and was isolated", name);
	else if (!strcmp(state, "resetting"))
		report(REPORT_WRONG, "resetting", "ask again in a moment; see the kernel's log",
		       "%s is being reset", name);
	else
		report(REPORT_WRONG, "dead", "see the kernel's log; reload the driver", "%s is %s",
		       name, state);
	return false;
}

struct queues {
	unsigned int made, open_to, held; /* there are; the subject may open; somebody has */
	char holders[512];
};

static void look_at_queue(const struct subject *subject, const char *name, const char *uuid,
			  struct queues *queues)
{
	char group[32], node[64], holders[128];

	if (!tree_link(tree_path(CLASS "/%s/device/%s/iommu_group", name, uuid), group,
		       sizeof(group)))
		return;
	queues->made++;
	snprintf(node, sizeof(node), "/dev/vfio/%s", group);
	/* What is wrong with one is wrong with all. */
	if (queues->made > queues->open_to + 1 || !check_node(subject, node))
		return;
	queues->open_to++;
	if (holders_of(node, holders, sizeof(holders))) {
		size_t len = strlen(queues->holders);

		queues->held++;
		/* A process has several: it is named once. */
		if (!strstr(queues->holders, holders))
			snprintf(queues->holders + len, sizeof(queues->holders) - len, "%s%s",
				 len ? ", " : "", holders);
	}
}

static unsigned int check_queues(const struct subject *subject, const char *name)
{
	char **uuids = tree_names(tree_path(CLASS "/%s/device", name));
	struct queues queues = { 0 };

	for (char **uuid = uuids; uuid && *uuid; uuid++)
		look_at_queue(subject, name, *uuid, &queues);
	free(uuids);
	if (!queues.made)
		report(REPORT_WRONG, "queues", "zwd queues create, as root",
		       "no queue of %s was made", name);
	else if (queues.open_to && queues.held == queues.open_to)
		report(REPORT_WRONG, "queues",
		       "end what has them, or make more: zwd queues create -n COUNT",
		       "no queue of %s is free; held by %s", name, queues.holders);
	else if (queues.open_to)
		report(REPORT_GOOD, "queues", NULL, "%s: %u of %u free%s%s", name,
		       queues.open_to - queues.held, queues.made,
		       queues.held ? "; others held by " : "", queues.holders);
	return queues.open_to - queues.held;
}

unsigned int check_sdmdev(const struct subject *subject, const char *name)
{
	long long mode =
		tree_number(tree_path(CLASS "/%s/device/" SDMDEV_PARAMS_NAME "/dma_mode", name), 0);
	long long numa =
		tree_number(tree_path(CLASS "/%s/device/" SDMDEV_PARAMS_NAME "/node_id", name), -1);
	bool is_good;

	report(REPORT_GOOD, "device", NULL, "%s (sdmdev, mode %s, NUMA node %lld)", name,
	       mode_of(mode), numa);
	check_numa(subject, name, numa);
	is_good = is_state_good(name);
	if (is_good && !tree_exists(subject_path(subject, "/dev/vfio/vfio"))) {
		report(REPORT_WRONG, "node", "modprobe vfio; in a container: see zwd-cdi(1)",
		       "there is no /dev/vfio/vfio");
		is_good = false;
	}
	check_memlock(subject, name);
	return is_good ? check_queues(subject, name) : 0;
}

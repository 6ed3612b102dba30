/* SPDX-License-Identifier: Zlib */
/* zwd doctor: may the subject open a device's node, and have memory shared with it? */
#include "config.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/zwd/doctor/checks.h"
#include "tools/zwd/doctor/report.h"
#include "tools/zwd/doctor/tree.h"
#include "tools/zwd/queues.h"

#define QUEUE_LEN (1ull << 20) /* about what one queue has shared */

/* Where the system answers for this very process, lists of access and the like included. */
static bool may_open(const struct subject *subject, const char *node, const struct stat *st)
{
	if (!*tree_root && !subject->is_process)
		return !eaccess(node, R_OK | W_OK);
	return subject_may_open(subject, st);
}

bool is_node_open(const struct subject *subject, const char *device)
{
	char node[300];
	struct stat st;
	const char *path;

	snprintf(node, sizeof(node), "/dev/%s", device);
	path = subject_path(subject, node);
	return !stat(path, &st) && may_open(subject, path, &st);
}

bool check_node(const struct subject *subject, const char *node)
{
	const char *path = subject_path(subject, node);
	gid_t wd = tree_group(QUEUES_GROUP);
	char advice[160];
	struct stat st;

	if (stat(path, &st)) {
		report(REPORT_WRONG, "node", "in a container: give it the node, see zwd-cdi(1)",
		       "%s: %s", node, strerror(errno));
		return false;
	}
	if (may_open(subject, path, &st))
		return true;
	if (wd == (gid_t)-1) {
		report(REPORT_WRONG, "group",
		       "systemd-sysusers, then udevadm trigger -s uacce, or zwd queues create",
		       "there is no group " QUEUES_GROUP ", which %s would be for", node);
	} else if (st.st_gid != wd || (st.st_mode & 060) != 060) {
		report(REPORT_WRONG, "access",
		       "udevadm trigger -s uacce, or zwd queues create, as root",
		       "%s is not open to the group " QUEUES_GROUP ": mode %04o, group %u", node,
		       (unsigned int)st.st_mode & 07777, (unsigned int)st.st_gid);
	} else {
		snprintf(advice, sizeof(advice),
			 "usermod -aG " QUEUES_GROUP
			 " %s, then log in anew; of a unit: SupplementaryGroups=" QUEUES_GROUP,
			 subject->user);
		report(REPORT_WRONG, "access", advice,
		       "%s may not open %s: not in the group " QUEUES_GROUP, subject->user, node);
	}
	return false;
}

/* Is it in a list as "0-3,5"? */
static bool is_in_list(const char *list, long long number)
{
	while (*list >= '0' && *list <= '9') {
		char *end;
		long long first = strtoll(list, &end, 10),
			  last = *end == '-' ? strtoll(end + 1, &end, 10) : first;

		if (number >= first && number <= last)
			return true;
		list = *end == ',' ? end + 1 : "";
	}
	return false;
}

void check_numa(const struct subject *subject, const char *device, long long node)
{
	static const char name[] = "Mems_allowed_list:";
	size_t len;
	char *text = tree_whole(tree_path("/proc/%s/status", subject->process), &len);
	char *list = text ? strstr(text, name) : NULL;

	if (list && node >= 0) {
		list += strlen(name);
		list += strspn(list, " \t");
		list[strcspn(list, "\n")] = '\0';
		if (*list && !is_in_list(list, node))
			report(REPORT_WARNING, "numa",
			       "let it run on that node, or name another device in WD_DEVICE",
			       "%s is on NUMA node %lld, but only memory of %s is allowed: each "
			       "request goes far",
			       device, node, list);
	}
	free(text);
}

/* Bytes, or -1: not known; unlimited is the largest number. */
static long long memlock_of(const struct subject *subject)
{
	size_t len;
	char *text = tree_whole(tree_path("/proc/%s/limits", subject->process), &len);
	char *line = text ? strstr(text, "Max locked memory") : NULL;
	long long limit = -1;

	if (line) {
		line += strlen("Max locked memory");
		line += strspn(line, " ");
		limit = strncmp(line, "unlimited", 9) ? atoll(line) : __LONG_LONG_MAX__;
	}
	free(text);
	return limit;
}

void check_memlock(const struct subject *subject, const char *device)
{
	static const char advice[] =
		"ulimit -l unlimited; of a unit: LimitMEMLOCK=infinity; of a container: "
		"--ulimit memlock=-1";
	long long limit = memlock_of(subject);

	if (subject_has_capability(subject, CAP_IPC_LOCK) || limit == __LONG_LONG_MAX__)
		return;
	if (limit < 0)
		report(REPORT_WARNING, "memlock", "ask as root",
		       "the limit of locked memory cannot be read");
	else if ((unsigned long long)limit < QUEUE_LEN)
		report(REPORT_WRONG, "memlock", advice,
		       "memory for one queue of %s is more than the limit of locked memory, %lld "
		       "KiB",
		       device, limit >> 10);
	else if ((unsigned long long)limit < 16 * QUEUE_LEN)
		report(REPORT_WARNING, "memlock", advice,
		       "the limit of locked memory, %lld KiB, is enough for %llu queues only",
		       limit >> 10, (unsigned long long)limit / QUEUE_LEN);
	else
		report(REPORT_GOOD, "memlock", NULL, "%lld KiB of memory may be locked",
		       limit >> 10);
}

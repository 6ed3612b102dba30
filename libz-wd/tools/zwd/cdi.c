/* SPDX-License-Identifier: Zlib */
/* zwd cdi: a specification of the Container Device Interface for this machine's queues. */
#include "config.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wd/sdmdev.h>
#include "tools/zwd/commands.h"
#include "tools/zwd/doctor/tree.h"
#include "tools/zwd/json.h"
#include "tools/zwd/options.h"

#define KIND	  "libz-wd/zip"
#define LIBRARY	  "/libz-wd.so.1"
#define NODES_MAX 4096
#define NAME_LEN  128

static const char usage[] =
	"Usage: zwd cdi [OPTION]...\n"
	"Prints a CDI specification: container runtimes hand devices on by it.\n\nOptions:\n"
	"  -g, --groups        also gives the container's processes the groups of the nodes\n"
	"  -l, --library       also mounts the installed library, and preloads it\n"
	"      --root=FOLDER   looks at /sys and /dev below that folder\n"
	"  -h, --help          this text\n"
	"The exit status is 0; 1: there is no device; 2: wrong usage.\n";

/* A node, and the device in the specification that it makes up with others. */
struct node {
	char name[NAME_LEN]; /* of that device: its first letter or digit, then also - _ . */
	char path[32 + NAME_LEN];
	gid_t gid;
};

struct cdi {
	bool has_groups, has_library;
	struct node *nodes;
	unsigned int nr;
	bool is_vfio; /* some need the node of VFIO's containers */
};

/* "0000:75:00.0" has colons, which only younger specifications allow. */
static void add(struct cdi *cdi, const char *device, const char *path)
{
	struct node *node = &cdi->nodes[cdi->nr];
	struct stat st;

	if (cdi->nr == NODES_MAX || stat(tree_path("%s", path), &st) ||
	    snprintf(node->name, sizeof(node->name), "%s", device) >= (int)sizeof(node->name) ||
	    snprintf(node->path, sizeof(node->path), "%s", path) >= (int)sizeof(node->path))
		return;
	for (char *c = node->name; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.",
			    *c))
			*c = '-';
	node->gid = st.st_gid;
	cdi->nr++;
}

static void find_uacce(struct cdi *cdi)
{
	char **names = tree_names(tree_path("/sys/class/uacce")), path[512], algs[512];

	for (char **name = names; name && *name; name++) {
		snprintf(path, sizeof(path), "/dev/%s", *name);
		if (tree_text(tree_path("/sys/class/uacce/%s/algorithms", *name), algs,
			      sizeof(algs)) &&
		    (strstr(algs, "zlib") || strstr(algs, "gzip") || strstr(algs, "deflate")))
			add(cdi, *name, path);
	}
	free(names);
}

static void find_queues(struct cdi *cdi, const char *function)
{
	char **names =
		tree_names(tree_path("/sys/class/" SDMDEV_CLASS_NAME "/%s/device", function));
	char group[32], path[64];

	for (char **name = names; name && *name; name++) {
		if (!tree_link(tree_path("/sys/class/" SDMDEV_CLASS_NAME
					 "/%s/device/%s/iommu_group",
					 function, *name),
			       group, sizeof(group)) ||
		    strspn(group, "0123456789") != strlen(group))
			continue;
		/* The function itself is in a group, too, which is nobody's to open. */
		if (strlen(*name) != 36)
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/%s", group);
		add(cdi, function, path);
		cdi->is_vfio = true;
	}
	free(names);
}

static void find_sdmdev(struct cdi *cdi)
{
	char **functions = tree_names(tree_path("/sys/class/" SDMDEV_CLASS_NAME));

	for (char **function = functions; function && *function; function++)
		find_queues(cdi, *function);
	free(functions);
}

static void print_node(const char *path)
{
	printf("{\"path\": ");
	json_print(stdout, path);
	printf(", \"permissions\": \"rw\"}");
}

static void print_groups(const struct node *nodes, unsigned int nr)
{
	printf(", \"additionalGids\": [");
	for (unsigned int i = 0, printed = 0; i < nr; i++) {
		bool is_new = nodes[i].gid != 0; /* which is no more than it has */

		for (unsigned int k = 0; k < i; k++)
			is_new &= nodes[k].gid != nodes[i].gid;
		if (is_new)
			printf("%s%u", printed++ ? ", " : "", (unsigned int)nodes[i].gid);
	}
	printf("]");
}

/* Nodes that follow each other. */
static void print_device(const struct cdi *cdi, const char *name, const struct node *nodes,
			 unsigned int nr)
{
	printf("    {\"name\": ");
	json_print(stdout, name);
	printf(", \"containerEdits\": {\"deviceNodes\": [");
	for (unsigned int i = 0; i < nr; i++) {
		printf(i ? ",\n      " : "\n      ");
		print_node(nodes[i].path);
	}
	printf("]");
	if (cdi->has_groups)
		print_groups(nodes, nr);
	printf("}}");
}

/* What every container gets that asks for any of the devices. */
static void print_edits(const struct cdi *cdi)
{
	if (!cdi->is_vfio && !cdi->has_library)
		return;
	printf(",\n  \"containerEdits\": {");
	if (cdi->is_vfio) {
		printf("\"deviceNodes\": [");
		print_node("/dev/vfio/vfio");
		printf(cdi->has_library ? "],\n    " : "]");
	}
	if (cdi->has_library)
		printf("\"env\": [\"LD_PRELOAD=" LIBDIR LIBRARY
		       "\"],\n    \"mounts\": [{\"hostPath\": \"" LIBDIR LIBRARY
		       "\", \"containerPath\": \"" LIBDIR LIBRARY
		       "\", \"options\": [\"bind\", \"ro\", \"nosuid\", \"nodev\"]}]");
	printf("}");
}

static void print(const struct cdi *cdi)
{
	/* The oldest version that has what is said: runtimes refuse what is younger than they. */
	printf("{\n  \"cdiVersion\": \"%s\",\n  \"kind\": \"" KIND "\",\n  \"devices\": [\n",
	       cdi->has_groups ? "0.7.0" : "0.5.0");
	for (unsigned int i = 0, end; i < cdi->nr; i = end) {
		for (end = i + 1;
		     end < cdi->nr && !strcmp(cdi->nodes[i].name, cdi->nodes[end].name); end++)
			;
		print_device(cdi, cdi->nodes[i].name, cdi->nodes + i, end - i);
		printf(",\n");
	}
	print_device(cdi, "all", cdi->nodes, cdi->nr);
	printf("\n  ]");
	print_edits(cdi);
	printf("\n}\n");
}

static int take(void *arg, int c, const char *value)
{
	struct cdi *cdi = arg;

	if (c == 'g')
		cdi->has_groups = true;
	else if (c == 'l')
		cdi->has_library = true;
	else
		tree_root = value;
	return ZWD_DONE;
}

int cdi_main(int argc, char **argv)
{
	static const struct option longs[] = { { "groups", no_argument, NULL, 'g' },
					       { "library", no_argument, NULL, 'l' },
					       { "root", required_argument, NULL, 'r' },
					       OPTIONS_HELP };
	static const struct options_of of = {
		.name = "cdi", .usage = usage, .shorts = "gl", .longs = longs, .take = take
	};
	static struct node nodes[NODES_MAX];
	struct cdi cdi = { .nodes = nodes };
	int status = options_read(&of, argc, argv, &cdi);

	if (status >= 0)
		return status;
	find_uacce(&cdi);
	find_sdmdev(&cdi);
	if (!cdi.nr) {
		/* A specification without a device is none. */
		fprintf(stderr, "zwd: cdi: no device has a node to hand on: see zwd doctor\n");
		return ZWD_FAILED;
	}
	print(&cdi);
	return ZWD_DONE;
}

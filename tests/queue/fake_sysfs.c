/* SPDX-License-Identifier: Zlib */
/* What the tests' kernel has in sysfs, and what tests have it say instead. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "drv/hisi_qm.h"
#include "fake_priv.h"

const char *fake_parent(unsigned int function)
{
	static const char *const names[] = { "0000:75:00.0", "0000:76:00.0" };

	return names[function];
}

const char *fake_uuid(const struct queue *q)
{
	static char text[QUEUES][40];

	snprintf(text[q->index], 40, "00000000-0000-5000-8000-%012u", q->index);
	return text[q->index];
}

/* function: whose it is. */
static const char *attribute_of(const char *attr, unsigned int function)
{
	int is_answered = fake.answer_of >= FAKE_FUNCTIONS || fake.answer_of == function;
	static char text[64];
	unsigned int nr = 0;

	if (fake.answer_to && !strcmp(attr, fake.answer_to) && is_answered)
		return fake.answer;
	if (fake.answer_to_too && !strcmp(attr, fake.answer_to_too) && is_answered)
		return fake.answer_too;
	if (!strcmp(attr, "api"))
		snprintf(text, sizeof(text), "hisi_qm_v%u%s", fake.info.qm_version,
			 fake.setup.flags & UACCE_FLAG_NOIOMMU ? "_noiommu" : "");
	else if (!strcmp(attr, "state"))
		snprintf(text, sizeof(text), "ok");
	else if (!strcmp(attr, "dma_mode"))
		snprintf(text, sizeof(text), "%u", fake.setup.mode);
	else if (!strcmp(attr, "algorithms"))
		snprintf(text, sizeof(text), "lz77_zstd\n%s", fake.info.algs);
	else if (!strcmp(attr, "device/numa_node"))
		snprintf(text, sizeof(text), "1");
	else if (!strcmp(attr, "flags"))
		snprintf(text, sizeof(text), "%u", fake.setup.flags);
	else if (!strcmp(attr, "region_dus_size"))
		snprintf(text, sizeof(text), "%zu",
			 hisi_qm_mem_len(fake.info.depth, fake.page_len));
	else if (!strcmp(attr, "region_mmio_size"))
		snprintf(text, sizeof(text), "%zu",
			 fake.setup.mmio_len ? (size_t)fake.setup.mmio_len : fake.page_len);
	else if (!strcmp(attr, "available_instances"))
		for (unsigned int i = 0; i <= QUEUES; i++) {
			snprintf(text, sizeof(text), "%u", nr);
			nr += i < QUEUES && !fake.queues[i].is_open && !fake.queues[i].is_taken;
		}
	else
		return NULL;
	return text;
}

/* What follows the name of a function, or NULL. */
static const char *behind_parent(const char *path, unsigned int *function)
{
	for (*function = 0; *function < FAKE_FUNCTIONS; ++*function) {
		char start[64];
		size_t len = snprintf(start, sizeof(start), "/sys/class/sdmdev/%s/device",
				      fake_parent(*function));

		if (fake.setup.mode && !strncmp(path, start, len))
			return path + len;
	}
	return NULL;
}

static const char *node_attribute(const char *attr)
{
	static const char *const texts[][2] = {
		{ "online", "0,2-3" },
		{ "node0/distance", "10 15 30" },
		{ "node2/distance", "15 10 20" },
		{ "node3/distance", "30 20 10" },
	};

	if (fake.answer_to_too && !strcmp(attr, fake.answer_to_too))
		return fake.answer_too;
	for (size_t i = 0; i < ARRAY_NR(texts); i++)
		if (!strcmp(attr, texts[i][0]))
			return texts[i][1];
	return NULL;
}

int fake_node(void)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!fake_is_failing(&r))
		r = fake.cpu_node;
	pthread_mutex_unlock(&fake_lock);
	return r;
}

int fake_read(const char *path, char *text, size_t text_len)
{
	static const char uacce[] = "/sys/class/uacce/", node[] = "/sys/devices/system/node/";
	const char *value = NULL;
	char number[16];
	unsigned int function;
	const char *rest;
	int r;

	pthread_mutex_lock(&fake_lock);
	if (fake_is_failing(&r))
		goto unlock;
	rest = behind_parent(path, &function);
	if (rest && !strcmp(rest, "/params/node_id")) {
		snprintf(number, sizeof(number), "%d", fake.nodes[function]);
		value = number;
	} else if (rest && !strncmp(rest, "/params/", 8))
		value = attribute_of(rest + 8, function);
	else if (rest && !strcmp(rest, "/isolate"))
		value = attribute_of("isolate", function);
	else if (!strncmp(path, node, sizeof(node) - 1))
		value = node_attribute(path + sizeof(node) - 1);
	else if (!fake.setup.mode && !strncmp(path, uacce, sizeof(uacce) - 1))
		value = attribute_of(strchr(path + sizeof(uacce) - 1, '/') + 1, 0);
	r = value ? 0 : -ENOENT;
	if (value)
		snprintf(text, text_len, "%s", value);
unlock:
	pthread_mutex_unlock(&fake_lock);
	return r;
}

int fake_readlink(const char *path, char *text, size_t text_len)
{
	unsigned int function;
	const char *rest;
	int r;

	pthread_mutex_lock(&fake_lock);
	if (fake_is_failing(&r))
		goto unlock;
	r = -ENOENT;
	rest = behind_parent(path, &function);
	for (unsigned int i = 0; rest && i < FAKE_QUEUES; i++) {
		const struct queue *q = &fake.queues[function * FAKE_QUEUES + i];

		if (!strncmp(rest + 1, fake_uuid(q), 36)) {
			snprintf(text, text_len, "../../../kernel/iommu_groups/%u",
				 GROUP_BASE + q->index);
			if (fake.answer_to && !strcmp(fake.answer_to, "iommu_group"))
				snprintf(text, text_len, "%s", fake.answer);
			r = 0;
		}
	}
unlock:
	pthread_mutex_unlock(&fake_lock);
	return r;
}

int fake_access(const char *path, int mode)
{
	return 0;
}

static int names_of(const char *path, char *text)
{
	unsigned int function;
	int nr = 0;

	if (!strcmp(path, "/sys/class/sdmdev") && fake.setup.mode) {
		for (; nr < FAKE_FUNCTIONS; nr++)
			text = stpcpy(text, fake_parent(nr)) + 1;
	} else if (!strcmp(path, "/sys/class/uacce") && !fake.setup.mode) {
		text = stpcpy(text, fake.answer_to && !*fake.answer_to ? fake.answer : FAKE_UACCE) +
		       1;
		nr++;
	} else if (behind_parent(path, &function)) {
		for (; nr < FAKE_QUEUES; nr++)
			text = stpcpy(text, fake_uuid(&fake.queues[function * FAKE_QUEUES + nr])) +
			       1;
		text = stpcpy(text, "params") + 1;
		nr++;
	} else {
		return -ENOENT;
	}
	*text = 0;
	return nr;
}

int fake_names(const char *path, char **names)
{
	char *text = malloc(1024);
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!fake_is_failing(&r))
		r = names_of(path, text);
	pthread_mutex_unlock(&fake_lock);
	if (r < 0)
		free(text);
	else
		*names = text;
	return r;
}

void fake_answer(const char *attribute, const char *text)
{
	fake.answer_to = attribute;
	fake.answer = text;
	fake.answer_to_too = NULL;
	fake.answer_of = FAKE_FUNCTIONS;
}

void fake_answer_of(unsigned int function)
{
	fake.answer_of = function;
}

void fake_answer_too(const char *attribute, const char *text)
{
	fake.answer_to_too = attribute;
	fake.answer_too = text;
}

void fake_nodes(int first, int second, int cpu)
{
	fake.nodes[0] = first;
	fake.nodes[1] = second;
	fake.cpu_node = cpu;
}

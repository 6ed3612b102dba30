/* SPDX-License-Identifier: Zlib */
/* Which devices there are, how WD_DEVICE selects them, and the ones that are open. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "drv/drv.h"
#include "lean.h"
#include "priv.h"

static struct wd_dev *devs; /* open ones; under wd_lock */

/* "name=value" that continues the options of an emulated device: nothing but the name before '='. */
static int is_option(const char *item)
{
	return item[strcspn(item, ",:=")] == '=';
}

/* A device's name has a digit in it, which the words of a specification have not. */
static int is_name(const char *item, size_t len)
{
	int has_digit = 0;

	for (size_t i = 0; i < len; i++) {
		if (!lean_is_alnum(item[i]) && !strchr("_-.:", item[i]))
			return 0;
		has_digit |= lean_is_digit(item[i]);
	}
	return has_digit;
}

static int is_word(const char *item, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(item, word, len);
}

int wd_spec_next(const char **pos, struct wd_spec *spec)
{
	const char *text = *pos;
	const char *end = text + strcspn(text, ",");
	size_t len = end - text;

	if (is_word(text, len, "auto")) {
		spec->kind = WD_SPEC_AUTO;
		len = 0;
	} else if (is_word(text, len, "none")) {
		spec->kind = WD_SPEC_NONE;
		len = 0;
	} else if (is_word(text, len, "emu")) {
		spec->kind = WD_SPEC_EMU;
		len = 0;
	} else if (!strncmp(text, "emu:", 4)) {
		spec->kind = WD_SPEC_EMU;
		text += 4;
		while (*end && is_option(end + 1))
			end += 1 + strcspn(end + 1, ",");
		len = end - text;
	} else if (is_name(text, len)) {
		spec->kind = WD_SPEC_NAME;
	} else {
		return -EINVAL;
	}
	if (len + sizeof("emu:") > sizeof(spec->text))
		return -EINVAL;
	memcpy(spec->text, text, len);
	spec->text[len] = 0;
	*pos = *end ? end + 1 : NULL;
	return 0;
}

/* Around fork(), with wd_lock held. */

static void fork_prepare(void)
{
	for (struct wd_dev *dev = devs; dev; dev = dev->next)
		pthread_mutex_lock(&dev->lock);
	for (unsigned int i = 0; wd_transports[i]; i++)
		if (wd_transports[i]->fork_prepare)
			wd_transports[i]->fork_prepare();
}

static void fork_parent(void)
{
	for (unsigned int i = 0; wd_transports[i]; i++)
		if (wd_transports[i]->fork_parent)
			wd_transports[i]->fork_parent();
	for (struct wd_dev *dev = devs; dev; dev = dev->next)
		pthread_mutex_unlock(&dev->lock);
}

/* In a child, which opens its devices anew. is_sound: wd_lock was nobody's at the fork. */
static void forget(int is_sound)
{
	for (struct wd_dev *dev = is_sound ? devs : NULL; dev; dev = dev->next)
		if (!wd_lock_anew(&dev->lock))
			dev->ranges_nr = 0;
	devs = NULL; /* the queues still hold theirs, to free it */
	for (unsigned int i = 0; wd_transports[i]; i++)
		if (wd_transports[i]->forget_all)
			wd_transports[i]->forget_all(is_sound);
}

static const struct wd_fork_hooks hooks = { fork_prepare, fork_parent, forget };

/* Every item must be understood, also those behind "none". */
static int spec_check(const char *pos)
{
	/* Before there is anything that a child would have to forget. */
	wd_fork_hooks_set(&hooks);
	while (pos) {
		struct wd_spec spec;
		int r = wd_spec_next(&pos, &spec);

		for (unsigned int i = 0; !r && wd_transports[i]; i++)
			if (spec.kind == WD_SPEC_EMU && wd_transports[i]->is_emulated)
				r = wd_transports[i]->check(spec.text);
		if (r)
			return r;
	}
	return 0;
}

struct candidates {
	struct wd_candidate *list;
	unsigned int nr;
};

static int is_listed(const struct candidates *c, const struct wd_device_info *info)
{
	for (unsigned int i = 0; i < c->nr; i++)
		if (!strcmp(c->list[i].info.name, info->name))
			return 1;
	return 0;
}

/* Adds the transport's devices, of an item; name: only the one of that name. */
static int add_devices(struct candidates *c, const struct wd_transport *transport,
		       unsigned int item, const char *options, const char *name)
{
	struct wd_device_info *infos = NULL;
	struct wd_candidate *list;
	int nr = transport->list(options, NULL, 0);
	int r = nr;

	if (nr <= 0)
		return nr;
	infos = calloc(nr, sizeof(*infos));
	list = realloc(c->list, (c->nr + nr) * sizeof(*list));
	if (list)
		c->list = list;
	if (!infos || !list) {
		r = -ENOMEM;
		goto free_infos;
	}
	r = transport->list(options, infos, nr);
	for (int i = 0; i < nr && i < r; i++) {
		if ((name && strcmp(name, infos[i].name)) || is_listed(c, &infos[i]))
			continue;
		if (!wd_drv_find(infos[i].api))
			wd_info_refuse(&infos[i], -EOPNOTSUPP,
				       "libwd does not know how its queues work: \"%s\"", infos[i].api);
		c->list[c->nr++] = (struct wd_candidate){ transport, infos[i], item, 0, 0 };
	}
free_infos:
	free(infos);
	return r < 0 ? r : 0;
}

/* "" in the environment is as good as no variable. */
static const char *spec_default(void)
{
	const char *spec = lean_getenv("WD_DEVICE");

	return spec && *spec ? spec : "auto";
}

/* Those that cannot be used go to the end. */
static void usable_first(struct wd_candidate *list, unsigned int nr)
{
	for (unsigned int i = 1; i < nr; i++)
		for (unsigned int j = i; j && !list[j].info.error && list[j - 1].info.error; j--) {
			struct wd_candidate other = list[j - 1];

			list[j - 1] = list[j];
			list[j] = other;
		}
}

int wd_find_candidates(const char *spec_text, int node, struct wd_candidate **list)
{
	const char *pos = spec_text ? spec_text : spec_default();
	struct candidates c = { 0 };
	unsigned int item = 0;
	int saved_errno = errno;
	int r = spec_check(pos);

	wd_enter();
	while (!r && pos) {
		struct wd_spec spec;

		r = wd_spec_next(&pos, &spec);
		if (r || spec.kind == WD_SPEC_NONE)
			break;
		for (unsigned int i = 0; !r && wd_transports[i]; i++) {
			int is_emulated = wd_transports[i]->is_emulated;

			if (is_emulated != (spec.kind == WD_SPEC_EMU))
				continue;
			r = add_devices(&c, wd_transports[i], item, is_emulated ? spec.text : NULL,
					spec.kind == WD_SPEC_NAME ? spec.text : NULL);
		}
		item++;
	}
	if (!r) {
		wd_near_sort(c.list, c.nr, node);
		usable_first(c.list, c.nr);
	}
	errno = saved_errno;
	if (r) {
		free(c.list);
		return r;
	}
	*list = c.list;
	return c.nr;
}

static int prepare(const char *pos)
{
	unsigned int found = 0; /* transports, as bits */

	while (pos) {
		struct wd_spec spec;
		int r = wd_spec_next(&pos, &spec);

		if (r || spec.kind == WD_SPEC_NONE)
			break;
		for (unsigned int i = 0; wd_transports[i]; i++) {
			const struct wd_transport *transport = wd_transports[i];

			if (transport->is_emulated != (spec.kind == WD_SPEC_EMU))
				continue;
			/* It takes locks, which a child of fork() has to know as its parent's. */
			if (transport->is_emulated)
				wd_enter();
			if (!transport->prepare || transport->prepare(spec.text))
				found |= 1u << i;
		}
	}
	if (found)
		wd_enter(); /* remembers the root */
	return __builtin_popcount(found);
}

int wd_prepare(const char *spec)
{
	const char *text = spec ? spec : spec_default();
	int saved_errno = errno;
	int cancel = wd_cancel_off();
	int r = spec_check(text);

	if (!r)
		r = prepare(text);
	wd_cancel_as(cancel);
	errno = saved_errno;
	return r;
}

int wd_list_devices(const char *spec, struct wd_device_info *info, unsigned int nr)
{
	struct wd_candidate *list;
	int cancel = wd_cancel_off();
	int found = wd_find_candidates(spec, -1, &list);

	for (int i = 0; i < found; i++)
		if (list[i].transport->try && !list[i].info.error)
			list[i].transport->try(&list[i].info);
	wd_cancel_as(cancel);
	if (found < 0)
		return found;
	usable_first(list, found);
	for (int i = 0; i < found && (unsigned int)i < nr; i++)
		info[i] = list[i].info;
	free(list);
	return found;
}

int wd_dev_get(const struct wd_candidate *candidate, struct wd_dev **found)
{
	struct wd_dev *dev;
	int r;

	for (dev = devs; dev; dev = dev->next)
		if (!strcmp(dev->info.name, candidate->info.name))
			goto take;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	dev->transport = candidate->transport;
	dev->info = candidate->info;
	dev->born = wd_generation();
	r = dev->transport->dev_open(&dev->info, &dev->handle);
	if (r) {
		free(dev);
		return r;
	}
	pthread_mutex_init(&dev->lock, NULL);
	dev->next = devs;
	devs = dev;
take:
	dev->queues_nr++;
	*found = dev;
	return 0;
}

void wd_dev_put(struct wd_dev *dev)
{
	if (--dev->queues_nr)
		return;
	for (struct wd_dev **at = &devs; *at; at = &(*at)->next)
		if (*at == dev) {
			*at = dev->next;
			break;
		}
	if (wd_is_own(dev->born))
		dev->transport->dev_close(dev->handle);
	pthread_mutex_destroy(&dev->lock);
	free(dev->ranges);
	free(dev);
}

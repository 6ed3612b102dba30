/* SPDX-License-Identifier: Zlib */
/* How a program comes by its zlib, and whether libz-wd can take that one's place. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/loader.h"
#include "tools/zwd/program.h"

#define DEPTH_MAX 32

static const struct {
	const char *name, *text;
	bool is_preload_good, is_path_good;
} kinds[PROGRAM_KINDS] = {
	[PROGRAM_NONE] = { "none", "shows no sign of zlib", false, false },
	[PROGRAM_DYNAMIC] = { "dynamic", "links zlib", true, true },
	[PROGRAM_THROUGH] = { "through", "links a library that links zlib", true, true },
	[PROGRAM_DLOPEN] = { "dlopen", "opens zlib while it runs", true, true },
	[PROGRAM_COPY] = { "copy", "has a zlib inside", false, false },
	[PROGRAM_STATIC] = { "static", "has a zlib inside and is linked statically", false, false },
	[PROGRAM_GO] = { "go", "is written in Go, which has a deflate of its own", false, false },
	[PROGRAM_FOREIGN] = { "foreign", "is for another kind of machine", false, false },
	[PROGRAM_ZLIB] = { "zlib", "is a zlib", true, true },
};

const char *program_kind_name(enum program_kind kind)
{
	return kinds[kind].name;
}

const char *program_kind_text(enum program_kind kind)
{
	return kinds[kind].text;
}

/* Libraries that were looked at: most programs need the same ones. */
struct known {
	const char *path;
	bool has_zlib; /* links it; false while it is being looked at, for libraries may need each
			  other */
	char text[];
};
static void *known;

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->path, ((const struct known *)b)->path);
}

static struct known *know(const char *path, bool *is_new)
{
	struct known *one = malloc(sizeof(*one) + strlen(path) + 1);
	struct known **found;

	*is_new = false;
	if (!one)
		return NULL;
	one->path = strcpy(one->text, path);
	one->has_zlib = false;
	found = tsearch(one, &known, compare);
	*is_new = found && *found == one;
	if (!*is_new)
		free(one);
	return found ? *found : NULL;
}

static const char *through(const struct elf_facts *facts, const char *path, unsigned int depth);

static bool has_zlib(const char *path, unsigned int depth)
{
	struct elf_facts *facts;
	bool is_new;
	struct known *one = know(path, &is_new);

	if (!one || !is_new)
		return one && one->has_zlib;
	facts = malloc(sizeof(*facts));
	if (facts && !elf_read(AT_FDCWD, path, false, facts) && !facts->is_foreign)
		one->has_zlib = facts->needs_zlib || through(facts, path, depth + 1);
	free(facts);
	return one->has_zlib;
}

/* The library among those it needs by way of which it has zlib, or NULL. */
static const char *through(const struct elf_facts *facts, const char *path, unsigned int depth)
{
	char found[4096];

	for (unsigned int i = 0; depth < DEPTH_MAX && i < facts->needed_nr; i++)
		if (!loader_find(facts->needed[i], facts->runpath, path, found, sizeof(found)) &&
		    has_zlib(found, depth))
			return facts->needed[i];
	return NULL;
}

static bool is_zlib(const struct elf_facts *facts)
{
	return !facts->is_program && facts->exports_zlib &&
	       (!strncmp(facts->soname, "libz.so", 7) || !strncmp(facts->soname, "libz-", 5));
}

static enum program_kind kind_of(const struct elf_facts *facts, const char *by)
{
	if (facts->is_foreign)
		return PROGRAM_FOREIGN;
	if (is_zlib(facts))
		return PROGRAM_ZLIB;
	if (facts->needs_zlib || facts->needs_ours)
		return PROGRAM_DYNAMIC;
	if (facts->is_go && facts->has_go_flate)
		return PROGRAM_GO;
	if (*facts->copy)
		return facts->is_static ? PROGRAM_STATIC : PROGRAM_COPY;
	if (facts->is_static)
		return PROGRAM_NONE;
	if (facts->imports_zlib)
		return PROGRAM_DYNAMIC;
	if (by)
		return PROGRAM_THROUGH;
	return facts->names_zlib ? PROGRAM_DLOPEN : PROGRAM_NONE;
}

int program_look(int dir, const char *name, const char *path, struct program *program)
{
	struct elf_facts *facts = malloc(sizeof(*facts));
	const char *by;
	int r = facts ? elf_read(dir, name, true, facts) : -ENOMEM;

	if (r)
		goto free_facts;
	by = facts->needs_zlib ? NULL : through(facts, path, 0);
	*program = (struct program){
		.kind = kind_of(facts, by),
		.is_library = !facts->is_program && !facts->is_foreign,
		.is_set_id = facts->is_set_id,
		.is_zlib_ng = facts->is_zlib_ng,
		.is_ours = facts->needs_ours,
	};
	/* The loader ignores both variables for one that runs with rights of its own. */
	program->is_preload_good = kinds[program->kind].is_preload_good && !program->is_set_id;
	program->is_path_good = kinds[program->kind].is_path_good && !program->is_set_id;
	memcpy(program->version, facts->copy, sizeof(program->version));
	if (program->kind == PROGRAM_THROUGH)
		snprintf(program->through, sizeof(program->through), "%s", by);
free_facts:
	free(facts);
	return r;
}

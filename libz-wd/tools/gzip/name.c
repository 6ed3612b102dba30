/* SPDX-License-Identifier: Zlib */
/* Names of wd-gzip's files: suffixes, and what an output is called. */
#include "config.h"
#include "gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *name_join(const char *start, size_t start_len, const char *end)
{
	char *name;

	if (asprintf(&name, "%.*s%s", (int)start_len, start, end) < 0)
		gzip_die_errno("");
	return name;
}

char *name_copy(const char *name)
{
	return name_join(name, strlen(name), "");
}

const char *name_base(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

void name_set(char **name, char *value)
{
	free(*name);
	*name = value;
}

/* As name_base(), but that slashes at the end belong to what they are behind: a folder's name is no file's. */
static const char *last_part(const char *name)
{
	const char *part = name + strspn(name, "/");

	for (const char *at = part; (at = strchr(at, '/')); part = *at ? at : part)
		at += strspn(at, "/");
	return part;
}

void name_restore(struct job *job, const char *name)
{
	name_set(&job->out_name,
		 name_join(job->in_name, name_base(job->in_name) - job->in_name, last_part(name)));
}

static const char *match_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), suffix_len = strlen(suffix);
	const char *at;

	/* Something must be left of the name. */
	if (len <= suffix_len)
		return NULL;
	at = name + len - suffix_len;
	return at[-1] == '/' || strcasecmp(at, suffix) ? NULL : at;
}

const char *name_suffix(const char *name)
{
	static const char *const known[] = { ".gz", ".z", ".taz", ".tgz", "-gz", "-z", "_z" };
	bool is_short = !strcmp(opt.suffix, "z"); /* the end of others */
	const char *at = is_short ? NULL : match_suffix(name, opt.suffix);
	size_t i;

	for (i = 0; !at && i < sizeof(known) / sizeof(*known); i++)
		at = match_suffix(name, known[i]);
	return at || !is_short ? at : match_suffix(name, opt.suffix);
}

bool name_output(struct job *job)
{
	const char *suffix = name_suffix(job->in_name);
	bool is_told = opt.verbose || (!opt.recursive && !opt.quiet);
	size_t len = strlen(job->in_name);

	if (opt.to_stdout && !opt.list && !opt.test) {
		job->out_name = name_copy("stdout");
	} else if (!opt.decompress) {
		if (suffix && !opt.force) {
			if (is_told)
				gzip_say("%s already has %s suffix -- unchanged", job->in_name,
					 suffix);
			return false;
		}
		job->out_name = name_join(job->in_name, len, opt.suffix);
	} else if (suffix) {
		bool is_tar = !strcasecmp(suffix, ".tgz") || !strcasecmp(suffix, ".taz");

		job->out_name = name_join(job->in_name, suffix - job->in_name, is_tar ? ".tar" : "");
	} else if ((opt.list || opt.test) && !opt.recursive) {
		job->out_name = name_copy(job->in_name);
	} else {
		if (is_told)
			gzip_warn("%s: unknown suffix -- ignored", job->in_name);
		return false;
	}
	return true;
}

/* A part between dots keeps three bytes. */
void name_shorten(struct job *job)
{
	char *base = (char *)name_base(job->out_name), *end = base + strlen(base), *part, *dot;
	size_t keep;

	if (!opt.decompress) {
		end -= strlen(opt.suffix);
		if (end - base > 4 && !strncmp(end - 4, ".tar", 4)) {
			strcpy(end - 4, ".tgz");
			return;
		}
	}
	for (keep = 3; keep; keep--) {
		for (part = end; part > base; part = dot) {
			for (dot = part - 1; dot > base && *dot != '.'; dot--)
				;
			if ((size_t)(part - dot) - (*dot == '.') > keep) {
				memmove(part - 1, part, strlen(part) + 1);
				return;
			}
		}
	}
	gzip_die(job, "name too short");
}

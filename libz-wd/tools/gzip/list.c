/* SPDX-License-Identifier: Zlib */
/* The table of wd-gzip -l, and the ratio that -v prints too. */
#include "config.h"
#include "gzip.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const char *const method_names[] = {
	[METHOD_STORED] = "store",  [METHOD_LZW] = "compr", [METHOD_PACK] = "pack ",
	[METHOD_DEFLATE] = "defla", [METHOD_ZIP] = "defla", [METHOD_ZIP_STORED] = "store",
};
static bool has_rows;
static uint64_t total_in, total_out, total_header;

void list_ratio(char *buf, size_t len, int64_t saved, int64_t of)
{
	snprintf(buf, len, "%5.1f%%", of ? 100.0 * saved / of : 0.0);
}

static void print_row(uint64_t in_len, uint64_t out_len, uint64_t header_len, const char *name)
{
	char ratio[32];

	list_ratio(ratio, sizeof(ratio), (int64_t)(out_len - (in_len - header_len)), out_len);
	printf("%19" PRIu64 " %19" PRIu64 " %s %s\n", in_len, out_len, ratio, name);
}

void list_job(const struct job *job)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm *tm;
	time_t when;

	/* GNU gzip leaves out what has anything behind its last member. */
	if (job->method == METHOD_NONE)
		return;
	if (!has_rows && !opt.quiet)
		printf("%s%19s %19s  ratio uncompressed_name\n",
		       opt.verbose ? "method  crc     date  time  " : "", "compressed",
		       "uncompressed");
	has_rows = true;
	if (opt.verbose) {
		when = job->mtime.tv_nsec < 0 ? 0 : job->mtime.tv_sec;
		tm = localtime(&when);
		printf("%5s %08lx ", method_names[job->method], job->crc);
		if (tm)
			printf("%.3s %2d %02d:%02d ", months + 3 * tm->tm_mon, tm->tm_mday,
			       tm->tm_hour, tm->tm_min);
		else
			printf("??? ?? ??:?? ");
	}
	print_row(job->in_len, job->out_len, job->header_len, job->out_name);
	if (fflush(stdout))
		gzip_die_errno(job->out_name);
	total_in += job->in_len;
	total_out += job->out_len;
	total_header = job->header_len; /* as GNU gzip has it: the last one's */
}

void list_totals(int file_nr)
{
	if (opt.quiet || file_nr < 2)
		return;
	if (opt.verbose)
		printf("%28s", "");
	print_row(total_in, total_out, total_header, "(totals)");
	if (fflush(stdout))
		gzip_die_errno("");
}

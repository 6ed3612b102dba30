/* SPDX-License-Identifier: Zlib */
/* The words that all writers of the table share, and the text one. */
#include "config.h"

#include "table.h"

#include <string.h>

const char *table_size(size_t size, char *text)
{
	if (size % (1 << 20) == 0)
		snprintf(text, 24, "%zuM", size >> 20);
	else if (size % 1024 == 0)
		snprintf(text, 24, "%zuK", size >> 10);
	else
		snprintf(text, 24, "%zu", size);
	return text;
}

const char *table_direction(enum codec_direction direction)
{
	return direction == CODEC_DEFLATE ? "deflate" : "inflate";
}

static void text_head(const struct table *t, FILE *out)
{
	size_t shown_nr = t->input->sources_nr > 4 ? 4 : t->input->sources_nr;

	fprintf(out, "machine   %s, %ld cores, clock governor %s\n", t->cpu, t->cores_nr,
		t->governor);
	fprintf(out, "software  zlib %s, %s\n", t->zlib_version, t->zlib_path);
	fprintf(out, "device    %s\n", t->device_text);
	fprintf(out, "path      %s\n", t->path_text);
	fprintf(out, "input     %.1f MB, ", (double)t->input->len / 1e6);
	if (t->input->is_generated) {
		fprintf(out, "generated mix, seed %d", INPUT_SEED);
	} else {
		for (size_t i = 0; i < shown_nr; i++)
			fprintf(out, "%s%s", i ? " " : "", t->input->sources[i].name);
		if (t->input->sources_nr > shown_nr)
			fprintf(out, " and %zu more", t->input->sources_nr - shown_nr);
	}
	fprintf(out, "; %s format, %u %s\n\n", t->format, t->threads_nr,
		t->threads_nr > 1 ? "threads" : "thread");
}

static void text_side(const struct table_row *r, enum table_side_id id, FILE *out)
{
	const struct table_side *s = &r->sides[id];
	char size[24], spread[40], ratio[16] = "-";

	if (id == TABLE_SOFT)
		fprintf(out, "%5s %3d %-8s software", table_size(r->size, size), r->level,
			table_direction(r->direction));
	else
		fprintf(out, "%5s %3s %-8s device  ", "", "", "");
	snprintf(spread, sizeof(spread), "%.1f..%.1f", s->cpu_mbps.min, s->cpu_mbps.max);
	if (r->direction == CODEC_DEFLATE)
		snprintf(ratio, sizeof(ratio), "%.4f",
			 (double)s->packed_len / (double)r->plain_len);
	fprintf(out, " %8.1f %-15s %8.1f %7s %7.3f %7.3f %9.1f %9.1f", s->cpu_mbps.median, spread,
		s->wall_mbps.median, ratio, s->caller_s_per_gb, s->others_s_per_gb,
		(double)s->p50_ns / 1e3, (double)s->p99_ns / 1e3);
	if (id == TABLE_DEVICE)
		fprintf(out, "  %.2fx [%.2f..%.2f]%s", r->speed.median, r->speed.min, r->speed.max,
			r->speed.median < 1 ? " slower" : "");
	if (id == TABLE_DEVICE && r->device_share < 0.9995)
		fprintf(out, ", device did %.1f %%", 100 * r->device_share);
	fputc('\n', out);
}

static void text_rows(const struct table *t, FILE *out)
{
	char size[24];

	fprintf(out, "%5s %3s %-8s %-8s %8s %-15s %8s %7s %7s %7s %9s %9s  %s\n", "", "", "", "",
		"CPU", "", "wall", "packed/", "caller", "other", "p50", "p99", "CPU speed,");
	fprintf(out, "%5s %3s %-8s %-8s %8s %-15s %8s %7s %7s %7s %9s %9s  %s\n", "size", "lvl", "",
		"", "MB/s", "min..max", "MB/s", "plain", "s/GB", "s/GB", "us", "us",
		"device/software");
	for (size_t i = 0; i < t->rows_nr; i++) {
		const struct table_row *r = &t->rows[i];

		if (r->failure) {
			fprintf(out, "%5s %3d %-8s %s\n", table_size(r->size, size), r->level,
				table_direction(r->direction), r->failure);
			continue;
		}
		text_side(r, TABLE_SOFT, out);
		text_side(r, TABLE_DEVICE, out);
		if (r->mean_len < r->size)
			fprintf(out, "%29s units are %zu bytes on average\n", "", r->mean_len);
	}
	fputc('\n', out);
}

static const struct table_row *text_find(const struct table *t, enum codec_direction direction,
					 const struct table_row *like)
{
	const struct table_row *found = NULL;

	for (size_t i = 0; i < t->rows_nr; i++) {
		const struct table_row *r = &t->rows[i];

		if (r->failure || r->direction != direction)
			continue;
		if (like && (r->size != like->size || r->level != like->level))
			continue;
		/* 64K at level 6 when it is there, else the last. */
		if (!found || found->size != 65536 || found->level != 6)
			found = r;
	}
	return found;
}

static void text_slower(const struct table *t, FILE *out)
{
	unsigned int nr = 0;
	char size[24];

	for (size_t i = 0; i < t->rows_nr; i++) {
		const struct table_row *r = &t->rows[i];

		if (r->failure || r->speed.median >= 1)
			continue;
		fprintf(out, "%s %s level %d %s (%.2fx)",
			nr++ ? "," : "The device path took more CPU time than software at",
			table_size(r->size, size), r->level, table_direction(r->direction),
			r->speed.median);
	}
	if (nr)
		fprintf(out, ".\n");
}

/* One sentence to quote, with all that must not be left out of it. */
static void text_summary(const struct table *t, FILE *out)
{
	const struct table_row *deflate = text_find(t, CODEC_DEFLATE, NULL);
	const struct table_row *inflate = text_find(t, CODEC_INFLATE, deflate);
	const struct table_row *any = deflate ? deflate : inflate;
	const char *note = t->device.is_emulated
				   ? "emulated device, its threads' CPU time is in the speed"
				   : t->device.name;
	char size[24];

	if (!any)
		return;
	fprintf(out, "%s level %d: ", table_size(any->size, size), any->level);
	if (deflate)
		fprintf(out,
			"deflate %.2fx the CPU-normalised speed of software zlib at %.2fx its "
			"size%s",
			deflate->speed.median,
			(double)deflate->sides[TABLE_DEVICE].packed_len /
				(double)deflate->sides[TABLE_SOFT].packed_len,
			inflate ? ", " : "");
	if (inflate)
		fprintf(out, "inflate %.2fx%s", inflate->speed.median,
			deflate ? "" : " the CPU-normalised speed of software zlib");
	if (any->device_share < 0.0005)
		note = "device not used";
	fprintf(out, "; the calling thread needs %.1f %% of its CPU time with software (%s).\n",
		100 / any->caller_gain, note);
}

void table_text(const struct table *t, FILE *out)
{
	unsigned int trials_min = 0, trials_max = 0;

	text_head(t, out);
	text_rows(t, out);
	for (size_t i = 0; i < t->rows_nr; i++) {
		unsigned int nr = t->rows[i].trials_nr;

		if (nr && (!trials_min || nr < trials_min))
			trials_min = nr;
		if (nr > trials_max)
			trials_max = nr;
	}
	fprintf(out, "Medians of %u", trials_min);
	if (trials_max > trials_min)
		fprintf(out, " to %u", trials_max);
	fprintf(out,
		" %s, software and device by turns; every output was decoded by the other side.\n",
		trials_max == 1 ? "trial" : "trials");
	fputs("CPU MB/s: plain bytes per CPU second of the calling and all other threads (the\n"
	      "emulated device's). Wall MB/s and latencies (p50, p99 of a call) are noisy where\n"
	      "other programs run.\n",
	      out);
	if (t->is_interrupted)
		fprintf(out, "Interrupted: the table is not complete.\n");
	text_slower(t, out);
	text_summary(t, out);
}

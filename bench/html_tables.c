/* SPDX-License-Identifier: Zlib */
/* The page of --html: its tables and words. */
#include "config.h"

#include "html.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void html_text(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
}

static void row(FILE *out, const char *name, const char *text)
{
	fprintf(out, "<tr><th scope=row>%s<td>", name);
	html_text(out, text);
	fputs("\n", out);
}

/* Machine, date, and all that the environment sets. */
void html_settings(const struct html *html)
{
	const struct table *t = html->table;
	char text[512], date[40];
	time_t now = time(NULL);
	struct tm tm;
	FILE *out = html->out;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &tm));
	fputs("<table class=facts>\n", out);
	row(out, "Date", date);
	snprintf(text, sizeof(text), "%s, %ld cores, clock governor %s", t->cpu, t->cores_nr, t->governor);
	row(out, "Machine", text);
	row(out, "Device", t->device_text);
	row(out, "Path", t->path_text);
	snprintf(text, sizeof(text), "zlib %s, %s", t->zlib_version, t->zlib_path);
	row(out, "Software", text);
	snprintf(text, sizeof(text), "%.1f MB, ", (double)t->input->len / 1e6);
	for (size_t i = 0; i < t->input->sources_nr && strlen(text) < 400; i++) {
		strcat(text, i ? " " : "");
		strncat(text, t->input->sources[i].name, sizeof(text) - strlen(text) - 1);
	}
	if (t->input->is_generated)
		strncat(text, " (generated)", sizeof(text) - strlen(text) - 1);
	row(out, "Input", text);
	snprintf(text, sizeof(text), "%s format, %u calling thread%s%s", t->format, t->threads_nr,
		 t->threads_nr > 1 ? "s" : "",
		 t->is_equal_ratio ? "; zlib at the level whose output is as long as the device's, size by size" : "");
	row(out, "Work", text);
	fputs("<tr><th scope=row>Settings<td>", out);
	for (char **entry = environ; *entry; entry++)
		if (!strncmp(*entry, "ZWD_", 4) || !strncmp(*entry, "WD_DEVICE=", 10)) {
			fputs("<code>", out);
			html_text(out, *entry);
			fputs("</code> ", out);
		}
	fputs("\n</table>\n", out);
}

/* What is compared: less is better. */
static double time_of(const struct table_side *side)
{
	return (double)side->p50_ns;
}

static double caller_of(const struct table_side *side)
{
	return side->caller_s_per_gb;
}

/* From so many bytes on the device is better, at all sizes that were measured; 0: at all, negative: at none. */
static double break_even(const struct table *t, int level, enum codec_direction direction,
			 double (*cost)(const struct table_side *side))
{
	double at = -1, last_ratio = 0, last_size = 0;

	for (size_t i = 0; i < t->rows_nr; i++) {
		const struct table_row *r = &t->rows[i];
		double ratio;

		if (r->failure || r->level != level || r->direction != direction)
			continue;
		ratio = cost(&r->sides[TABLE_DEVICE]) / (cost(&r->sides[TABLE_SOFT]) + 1e-12);
		if (ratio > 1)
			at = -1;
		else if (at < 0 && !last_size)
			at = 0;
		else if (at < 0)
			/* Between the two sizes, on the straight line that both scales of the plot have. */
			at = exp(log(last_size) + (log((double)r->mean_len) - log(last_size)) *
							  log(last_ratio) / (log(last_ratio) - log(ratio)));
		last_ratio = ratio;
		last_size = (double)r->mean_len;
	}
	return at;
}

static void print_break_even(FILE *out, double at, const char *least)
{
	if (at < 0)
		fputs("<td class=worse>at no size measured", out);
	else if (at == 0)
		fprintf(out, "<td class=better>at every size, from %s on", least);
	else
		fprintf(out, "<td>from %.0f bytes on", at);
}

void html_break_even(const struct html *html)
{
	const struct table *t = html->table;
	char least[24] = "";
	size_t min = SIZE_MAX;

	for (size_t i = 0; i < t->rows_nr; i++)
		if (t->rows[i].size < min)
			table_size(min = t->rows[i].size, least);
	fputs("<table>\n<tr><th>Direction<th>Level<th>Half of the calls take less time<th>The calling thread takes less CPU time\n",
	      html->out);
	for (enum codec_direction d = CODEC_DEFLATE; d <= CODEC_INFLATE; d++)
		for (int level = 0; level <= 9; level++) {
			int is_there = 0;

			for (size_t i = 0; i < t->rows_nr; i++)
				is_there |= t->rows[i].level == level && t->rows[i].direction == d &&
					    !t->rows[i].failure;
			if (!is_there)
				continue;
			fprintf(html->out, "<tr><td>%s<td>%d", table_direction(d), level);
			print_break_even(html->out, break_even(t, level, d, time_of), least);
			print_break_even(html->out, break_even(t, level, d, caller_of), least);
			fputs("\n", html->out);
		}
	fputs("</table>\n", html->out);
}

static void figures_side(FILE *out, const struct table_row *r, enum table_side_id id)
{
	const struct table_side *s = &r->sides[id];

	fprintf(out,
		"<td>%s<td>%.1f<td>%.1f<td>%.3f<td>%.3f<td>%.3f<td>%.1f<td>%.1f<td>%.1f<td>%.1f\n",
		id == TABLE_SOFT ? "zlib" : "device", s->wall_mbps.median, s->cpu_mbps.median, s->caller_s_per_gb,
		s->others_s_per_gb, (double)r->plain_len / (double)s->packed_len, (double)s->p50_ns / 1e3,
		(double)s->p90_ns / 1e3, (double)s->p99_ns / 1e3, (double)s->p999_ns / 1e3);
}

void html_figures(const struct html *html)
{
	FILE *out = html->out;
	char size[24];

	fputs("<div class=wide><table class=figures>\n<tr><th>Size<th>Level<th>Direction<th>By<th>MB/s<th>MB per CPU s"
	      "<th>Caller s/GB<th>Others s/GB<th>Ratio<th>p50 &micro;s<th>p90 &micro;s<th>p99 &micro;s<th>p99.9 &micro;s\n",
	      out);
	for (size_t i = 0; i < html->table->rows_nr; i++) {
		const struct table_row *r = &html->table->rows[i];

		fprintf(out, "<tr><td rowspan=2>%s<td rowspan=2>%d<td rowspan=2>%s", table_size(r->size, size),
			r->level, table_direction(r->direction));
		if (r->failure) {
			fputs("<td colspan=10 rowspan=2 class=worse>", out);
			html_text(out, r->failure);
			fputs("\n<tr>\n", out);
			continue;
		}
		figures_side(out, r, TABLE_SOFT);
		fputs("<tr class=device>", out);
		figures_side(out, r, TABLE_DEVICE);
	}
	fputs("</table></div>\n", out);
	if (html->anchors_nr)
		fputs("<div class=wide><table class=figures>\n<tr><th>Program<th>Level<th>MB/s<th>CPU s/GB<th>Ratio"
		      "<th>Decompression MB/s\n", out);
	for (size_t i = 0; i < html->anchors_nr; i++) {
		const struct anchor *a = &html->anchors[i];

		fprintf(out, "<tr><td>%s<td>%d<td>%.1f<td>%.3f<td>%.3f<td>%.1f\n", a->name, a->level, a->wall_mbps,
			a->cpu_s_per_gb, 1 / a->ratio, a->unpack_mbps);
	}
	if (html->anchors_nr)
		fputs("</table></div>\n", out);
}

void html_method(const struct html *html)
{
	fputs("<p>A pass is 4 to 8 MiB of units of the size, spread evenly over the input (above 16 MiB, one unit). "
	      "A trial repeats it for 20 ms at least, and trials of zlib and of the device take turns; figures are "
	      "medians over trials. "
	      "Every output is checked outside the measured time: compressed data is decoded by the other side, "
	      "decompressed data compared with the input. Percentiles are of single calls. MB are 10<sup>6</sup> and "
	      "GB 10<sup>9</sup> plain bytes. &ldquo;Others&rdquo; are the threads of an emulated device: silicon has "
	      "none. "
	      "Between two sizes a break-even is read off the straight line through both, on logarithmic scales.\n"
	      "<p>Other programs are run as they are installed, with all threads that they start, on the "
	      "units of the largest size in one stream, repeated up to 16 MiB at least, up to three times each; their start is in their figures. "
	      "Wall time, and with it MB/s and percentiles, depends on what else the machine does; CPU time does so less.\n",
	      html->out);
	if (*html->missing) {
		fputs("<p>Not installed, so not measured: ", html->out);
		html_text(html->out, html->missing);
		fputs(".\n", html->out);
	}
}

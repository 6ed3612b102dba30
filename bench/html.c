/* SPDX-License-Identifier: Zlib */
/* The page of --html: its frame and its plots. */
#include "config.h"

#include "html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"

#define DEVICE "#c8323c"
#define ZLIB "#33415c"

/* No level has another's colour, nor any program. */
static const char *const level_colours[10] = { "#9aa5b8", "#7187b0", "#5f79a8", "#4f6b9e", "#415f92",
					       "#385685", "#33415c", "#2a3750", "#222d44", "#1a2438" };

static const char *anchor_colour(const char *name)
{
	return *name == 'p' ? "#b7791f" : *name == 'i' ? "#2f855a" : "#6b46c1";
}

static const char head[] =
	"<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n"
	"<meta name=viewport content=\"width=device-width\">\n<title>wd-bench</title>\n<style>\n"
	"body{font:15px/1.5 system-ui,sans-serif;color:#1c2430;background:#f4f5f7;margin:0}\n"
	"main{max-width:1180px;margin:0 auto;padding:1.5rem}\n"
	"h1{font-size:1.6rem;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}\n"
	".plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,32rem),1fr));gap:1rem}\n"
	"figure{margin:0;padding:.8rem;background:#fff;border:1px solid #d9dde4;border-radius:6px}\n"
	"figure svg{width:100%;height:auto}figcaption{font-size:.88rem;color:#4a5568}\n"
	"table{border-collapse:collapse;background:#fff;border:1px solid #d9dde4}\n"
	"th,td{padding:.25rem .6rem;text-align:left;border-bottom:1px solid #e6e9ee;vertical-align:top}\n"
	"th{font-weight:600;white-space:nowrap}.figures td{text-align:right;font-variant-numeric:tabular-nums}\n"
	".device td{background:#fdf3f3}.better{color:#22703c}.worse{color:#a12a2a}.wide{overflow-x:auto;margin:.8rem 0}\n"
	".note{background:#fff6dd;border:1px solid #ecd79a;border-radius:6px;padding:.6rem .9rem}\n"
	"code{font-size:.92em}\n</style>\n<main>\n";

/* One plot: the script in memory, with the data of all its lines before their names. */
struct plot {
	const struct html *html;
	FILE *script, *lines;
	char *text, *lines_text;
	size_t len, lines_len;
	unsigned int nr;
};

static int begin(struct plot *p, const struct html *html, const char *x, const char *y)
{
	*p = (struct plot){ .html = html };
	p->script = open_memstream(&p->text, &p->len);
	p->lines = open_memstream(&p->lines_text, &p->lines_len);
	if (!p->script || !p->lines)
		return -1;
	fprintf(p->script,
		"set terminal svg size 640,440 dynamic enhanced background \"#ffffff\" font \"sans-serif,13\"\n"
		"set grid lc rgb \"#e2e6ec\" lw 1 lt 1\nset border 3 lc rgb \"#8792a2\"\nset tics nomirror\n"
		"set key outside top center horizontal samplen 2 maxrows 4\nset xlabel \"%s\"\nset ylabel \"%s\"\n", x, y);
	return 0;
}

static size_t largest(const struct table *t)
{
	size_t size = 0;

	for (size_t i = 0; i < t->rows_nr; i++)
		if (t->rows[i].size > size)
			size = t->rows[i].size;
	return size;
}

static size_t smallest(const struct table *t)
{
	size_t size = SIZE_MAX;

	for (size_t i = 0; i < t->rows_nr; i++)
		if (t->rows[i].size < size)
			size = t->rows[i].size;
	return size;
}

/* Sizes are powers of two, most of them. */
static void size_axis(struct plot *p)
{
	const struct table *t = p->html->table;
	char size[24];

	fputs("set logscale x 2\nset logscale y\nset format y \"%g\"\nset xtics (", p->script);
	for (size_t i = 0; i < t->rows_nr; i++)
		if (!i || t->rows[i].size != t->rows[i - 1].size)
			fprintf(p->script, "%s\"%s\" %zu", i ? ", " : "", table_size(t->rows[i].size, size),
				t->rows[i].size);
	/* A little more than there is: a title at the very end may be lost to rounding. */
	if (t->rows_nr)
		fprintf(p->script, ")\nset xrange [%g:%g]\n", (double)smallest(t) / 1.1, (double)largest(t) * 1.1);
	else
		fputs(")\n", p->script);
}

__attribute__((format(printf, 3, 4))) static void line(struct plot *p, const char *style, const char *title, ...)
{
	va_list va;

	fprintf(p->lines, "%s$d%u with %s title \"", p->nr ? ", " : "plot ", p->nr, style);
	va_start(va, title);
	vfprintf(p->lines, title, va);
	va_end(va);
	fputc('"', p->lines);
	fprintf(p->script, "$d%u << EOD\n", p->nr++);
}

static void end_line(struct plot *p)
{
	fputs("EOD\n", p->script);
}

static void end(struct plot *p, const char *caption)
{
	FILE *out = p->html->out;

	fclose(p->lines);
	fwrite(p->lines_text, 1, p->lines_len, p->script);
	fputs("\n", p->script);
	fclose(p->script);
	fputs("<figure>", out);
	if (!p->nr || plot_draw(p->text, p->len, out))
		fputs("<p class=worse>There is nothing to draw, or gnuplot failed.\n", out);
	fprintf(out, "<figcaption>%s</figcaption></figure>\n", caption);
	free(p->text);
	free(p->lines_text);
}

static double wall(const struct table_side *s)
{
	return s->wall_mbps.median;
}

static double caller(const struct table_side *s)
{
	return s->caller_s_per_gb;
}

static double all_cpu(const struct table_side *s)
{
	return s->caller_s_per_gb + s->others_s_per_gb;
}

static double p50(const struct table_side *s)
{
	return (double)s->p50_ns / 1e3;
}

static double p90(const struct table_side *s)
{
	return (double)s->p90_ns / 1e3;
}

static double p99(const struct table_side *s)
{
	return (double)s->p99_ns / 1e3;
}

static double p999(const struct table_side *s)
{
	return (double)s->p999_ns / 1e3;
}

/* The value by size. level: -1: the first that there is of each size. */
static void by_size(struct plot *p, enum codec_direction direction, int level, enum table_side_id side,
		    double (*value)(const struct table_side *side))
{
	const struct table *t = p->html->table;
	size_t last = 0;

	for (size_t i = 0; i < t->rows_nr; i++) {
		const struct table_row *r = &t->rows[i];

		if (r->failure || r->direction != direction || (level >= 0 && r->level != level) ||
		    (level < 0 && r->size == last))
			continue;
		last = r->size;
		/* Nothing is no place on a logarithmic scale. */
		fprintf(p->script, "%zu %g\n", r->size, value(&r->sides[side]) > 1e-6 ? value(&r->sides[side]) : 1e-6);
	}
	end_line(p);
}

static int has_level(const struct table *t, int level)
{
	for (size_t i = 0; i < t->rows_nr; i++)
		if (t->rows[i].level == level && !t->rows[i].failure)
			return 1;
	return 0;
}

/* zlib at each level; with --equal-ratio the level changes from size to size. */
static void zlib_lines(struct plot *p, enum codec_direction direction, double (*value)(const struct table_side *side))
{
	const struct table *t = p->html->table;
	char style[80];

	if (t->is_equal_ratio) {
		line(p, "linespoints lw 2 pt 7 ps .5 lc rgb \"" ZLIB "\"", "zlib at equal ratio");
		by_size(p, direction, -1, TABLE_SOFT, value);
	}
	for (int level = 0; level <= 9 && !t->is_equal_ratio; level++) {
		if (!has_level(t, level))
			continue;
		snprintf(style, sizeof(style), "linespoints lw 2 pt 7 ps .5 lc rgb \"%s\"", level_colours[level]);
		line(p, style, direction == CODEC_DEFLATE ? "zlib -%d" : "zlib, of level %d", level);
		by_size(p, direction, level, TABLE_SOFT, value);
	}
}

/* Programs take streams, not calls: one figure for all sizes. */
static void anchor_lines(struct plot *p, int is_cpu, enum codec_direction direction)
{
	const struct table *t = p->html->table;
	char style[80];

	for (size_t i = 0; i < p->html->anchors_nr && t->rows_nr; i++) {
		const struct anchor *a = &p->html->anchors[i];
		double value = is_cpu ? a->cpu_s_per_gb : direction == CODEC_DEFLATE ? a->wall_mbps : a->unpack_mbps;

		if (a->level != 1 || value <= 0)
			continue;
		snprintf(style, sizeof(style), "lines lw 1.5 dt 2 lc rgb \"%s\"", anchor_colour(a->name));
		line(p, style, direction == CODEC_DEFLATE ? "%s -1" : "%s -d", a->name);
		fprintf(p->script, "%zu %g\n%zu %g\n", t->rows[0].size, value, t->rows[t->rows_nr - 1].size, value);
		end_line(p);
	}
}

static const char device_style[] = "linespoints lw 3 pt 7 ps .6 lc rgb \"" DEVICE "\"";

static void speed(const struct html *html, enum codec_direction direction)
{
	struct plot p;

	if (begin(&p, html, "bytes of a call", "MB/s (wall time)"))
		return;
	size_axis(&p);
	zlib_lines(&p, direction, wall);
	line(&p, device_style, "device");
	by_size(&p, direction, -1, TABLE_DEVICE, wall);
	anchor_lines(&p, 0, direction);
	end(&p, direction == CODEC_DEFLATE ? "Compression speed. Higher is better. Dashed: a program with all its threads, "
					     "on one long stream." :
					     "Decompression speed. Higher is better.");
}

static void cpu(const struct html *html, enum codec_direction direction)
{
	struct plot p;

	if (begin(&p, html, "bytes of a call", "CPU seconds per GB"))
		return;
	size_axis(&p);
	zlib_lines(&p, direction, caller);
	line(&p, device_style, "device: calling thread");
	by_size(&p, direction, -1, TABLE_DEVICE, caller);
	if (html->table->device.is_emulated) {
		line(&p, "linespoints lw 1.5 dt 3 pt 6 ps .5 lc rgb \"" DEVICE "\"", "with the emulation's threads");
		by_size(&p, direction, -1, TABLE_DEVICE, all_cpu);
	}
	if (direction == CODEC_DEFLATE)
		anchor_lines(&p, 1, direction);
	end(&p, direction == CODEC_DEFLATE ? "CPU time of compression. Lower is better." :
					     "CPU time of decompression. Lower is better.");
}

static void latency(const struct html *html, enum codec_direction direction)
{
	static double (*const values[])(const struct table_side *side) = { p50, p90, p99, p999 };
	static const char *const names[] = { "p50", "p90", "p99", "p99.9" };
	static const char *const shades[] = { "#c8323c", "#d9606a", "#e68d95", "#f0b6bb" };
	char style[80];
	struct plot p;

	if (begin(&p, html, "bytes of a call", "time of a call"))
		return;
	size_axis(&p);
	fputs("set ytics (\"1 us\" 1, \"10 us\" 10, \"100 us\" 1e2, \"1 ms\" 1e3, \"10 ms\" 1e4, \"100 ms\" 1e5, "
	      "\"1 s\" 1e6, \"10 s\" 1e7)\n", p.script);
	for (size_t i = 0; i < 4; i++) {
		snprintf(style, sizeof(style), "linespoints lw 2 pt 7 ps .5 lc rgb \"%s\"", shades[i]);
		line(&p, style, "device %s", names[i]);
		by_size(&p, direction, -1, TABLE_DEVICE, values[i]);
	}
	for (size_t i = 0; i < 4; i += 3) {
		snprintf(style, sizeof(style), "lines lw 2 dt 2 lc rgb \"%s\"", i ? "#7187b0" : ZLIB);
		line(&p, style, "zlib %s", names[i]);
		by_size(&p, direction, -1, TABLE_SOFT, values[i]);
	}
	end(&p, direction == CODEC_DEFLATE ?
			"How long a call of deflate takes: half of them, 90, 99 and 99.9 of 100. zlib at the first level measured." :
			"The same of inflate.");
}

/* What the points of a plot span, so that there is room for their names. */
struct span {
	double low, high;
};

static void widen(struct span *span, double value)
{
	if (!span->high || value < span->low)
		span->low = value;
	if (value > span->high)
		span->high = value;
}

struct cloud {
	struct plot plot;
	struct span ratio, mbps;
};

/* Each program's names have a side of their points: pigz may be where zlib is, and igzip where the device is. */
static const char *side_of(const char *name)
{
	static const struct {
		const char *name, *side;
	} sides[] = { { "zlib", "right offset -1.5,0" },
		      { "pigz", "center offset 0,.8" },
		      { "igzip", "center offset 0,-.9" },
		      { "device", "left offset 1,.3" } };

	for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++)
		if (!strcmp(sides[i].name, name))
			return sides[i].side;
	return "left offset 1,-.5";
}

static void point(struct cloud *cloud, const char *colour, const char *name, int level, double ratio, double mbps)
{
	struct plot *p = &cloud->plot;
	char style[160];

	snprintf(style, sizeof(style), "labels %s tc rgb \"%s\" point pt 7 ps .9 lc rgb \"%s\"",
		 side_of(name), colour, colour);
	fprintf(p->lines, "%s$d%u using 1:2:3 with %s notitle", p->nr ? ", " : "plot ", p->nr, style);
	fprintf(p->script, "$d%u << EOD\n%g %g \"%s", p->nr++, ratio, mbps, name);
	if (level >= 0)
		fprintf(p->script, " -%d", level);
	fputs("\"\nEOD\n", p->script);
	widen(&cloud->ratio, ratio);
	widen(&cloud->mbps, mbps);
}

/* At the largest size: its units, one behind the other, are what programs have. */
static void ratio(const struct html *html)
{
	const struct table *t = html->table;
	size_t size = largest(t);
	int has_device = 0;
	struct cloud cloud = { 0 };
	struct plot *p = &cloud.plot;
	double margin;

	if (begin(p, html, "ratio: plain bytes over compressed ones", "MB/s (wall time)"))
		return;
	fputs("set logscale y\nset format y \"%g\"\n", p->script);
	for (size_t i = 0; i < t->rows_nr; i++) {
		const struct table_row *r = &t->rows[i];
		const struct table_side *s = r->sides;

		if (r->size != size || r->failure || r->direction != CODEC_DEFLATE)
			continue;
		point(&cloud, ZLIB, "zlib", r->level, (double)r->plain_len / (double)s[TABLE_SOFT].packed_len,
		      wall(&s[TABLE_SOFT]));
		if (!has_device++)
			point(&cloud, DEVICE, "device", -1, (double)r->plain_len / (double)s[TABLE_DEVICE].packed_len,
			      wall(&s[TABLE_DEVICE]));
	}
	for (size_t i = 0; i < html->anchors_nr; i++)
		point(&cloud, anchor_colour(html->anchors[i].name), html->anchors[i].name, html->anchors[i].level,
		      1 / html->anchors[i].ratio, html->anchors[i].wall_mbps);
	margin = (cloud.ratio.high - cloud.ratio.low) * .08 + .02;
	fprintf(p->script, "set xrange [%g:%g]\nset yrange [%g:%g]\n", cloud.ratio.low - 2 * margin,
		cloud.ratio.high + 2 * margin, cloud.mbps.low / 1.6, cloud.mbps.high * 1.6);
	end(p, "Ratio against speed of compression, at the largest size. Up and to the right is better.");
}

static int has_direction(const struct table *t, enum codec_direction direction)
{
	for (size_t i = 0; i < t->rows_nr; i++)
		if (t->rows[i].direction == direction && !t->rows[i].failure)
			return 1;
	return 0;
}

static void plots(const struct html *html, const char *title,
		  void (*draw)(const struct html *html, enum codec_direction direction))
{
	fprintf(html->out, "<h2>%s</h2>\n<div class=plots>\n", title);
	for (enum codec_direction d = CODEC_DEFLATE; d <= CODEC_INFLATE; d++)
		if (has_direction(html->table, d))
			draw(html, d);
	fputs("</div>\n", html->out);
}

void table_html(const struct table *table, FILE *out)
{
	struct html html = { .table = table, .out = out };

	if (!table->is_interrupted)
		html.anchors_nr = anchors_measure(table->input, largest(table), html.anchors, ANCHORS_MAX, html.missing,
						  sizeof(html.missing));
	fputs(head, out);
	fputs("<h1>Compression on the ZIP device and in software</h1>\n", out);
	if (table->is_interrupted)
		fputs("<p class=note>Interrupted: the page is not complete, and has no other programs.\n", out);
	if (table->device.is_emulated)
		fputs("<p class=note>The device is an emulation: its figures are those of the library that computes for it "
		      "and of this processor, not silicon's.\n", out);
	html_settings(&html);
	plots(&html, "Speed", speed);
	plots(&html, "CPU time", cpu);
	plots(&html, "Latency", latency);
	if (has_direction(table, CODEC_DEFLATE)) {
		fputs("<h2>Ratio against speed</h2>\n<div class=plots>\n", out);
		ratio(&html);
		fputs("</div>\n", out);
	}
	fputs("<h2>Break-even: from where on the device is better</h2>\n", out);
	html_break_even(&html);
	fputs("<h2>All figures</h2>\n", out);
	html_figures(&html);
	fputs("<h2>Method</h2>\n", out);
	html_method(&html);
	fputs("<p>Made by wd-bench " PACKAGE_VERSION " of libz-wd.\n</main>\n", out);
}

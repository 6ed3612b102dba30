/* SPDX-License-Identifier: Zlib */
/* The table for programs: JSON and CSV. */
#include "config.h"

#include "table.h"

/* Bytes that are not printable ASCII become '?': names are labels here. */
static void json_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		fputc(*s >= ' ' && *s <= '~' ? *s : '?', out);
	}
	fputc('"', out);
}

static void json_text(FILE *out, const char *key, const char *value)
{
	fprintf(out, "  \"%s\": ", key);
	json_string(out, value);
	fprintf(out, ",\n");
}

static void json_spread(FILE *out, const char *key, const struct spread *s)
{
	fprintf(out, "\"%s\": {\"median\": %.4f, \"min\": %.4f, \"max\": %.4f}", key, s->median,
		s->min, s->max);
}

static void json_side(FILE *out, const char *key, const struct table_side *s)
{
	fprintf(out, ",\n     \"%s\": {", key);
	json_spread(out, "cpu_mb_per_s", &s->cpu_mbps);
	fprintf(out, ", ");
	json_spread(out, "wall_mb_per_s", &s->wall_mbps);
	fprintf(out,
		",\n      \"caller_cpu_s_per_gb\": %.6f, \"others_cpu_s_per_gb\": %.6f, "
		"\"packed_bytes\": %zu, \"p50_ns\": %llu, \"p99_ns\": %llu, \"p999_ns\": %llu}",
		s->caller_s_per_gb, s->others_s_per_gb, s->packed_len,
		(unsigned long long)s->p50_ns, (unsigned long long)s->p99_ns, (unsigned long long)s->p999_ns);
}

static void json_row(FILE *out, const struct table_row *r)
{
	fprintf(out,
		"    {\"size\": %zu, \"level\": %d, \"direction\": \"%s\", \"mean_unit_bytes\": "
		"%zu, "
		"\"calls\": %zu, \"plain_bytes\": %zu, \"trials\": %u",
		r->size, r->level, table_direction(r->direction), r->mean_len, r->calls_nr,
		r->plain_len, r->trials_nr);
	if (r->failure) {
		fprintf(out, ", \"failure\": ");
		json_string(out, r->failure);
	} else {
		fprintf(out, ", \"verified\": true, \"device_share\": %.4f,\n     ",
			r->device_share);
		json_spread(out, "cpu_speed_ratio", &r->speed);
		fprintf(out, ", \"caller_cpu_ratio\": %.4f, \"size_ratio\": %.6f", r->caller_gain,
			(double)r->sides[TABLE_DEVICE].packed_len /
				(double)r->sides[TABLE_SOFT].packed_len);
		json_side(out, "software", &r->sides[TABLE_SOFT]);
		json_side(out, "device", &r->sides[TABLE_DEVICE]);
	}
	fputc('}', out);
}

void table_json(const struct table *t, FILE *out)
{
	fprintf(out, "{\n");
	json_text(out, "program", "wd-bench " PACKAGE_VERSION);
	json_text(out, "cpu", t->cpu);
	fprintf(out, "  \"cores\": %ld,\n", t->cores_nr);
	json_text(out, "governor", t->governor);
	json_text(out, "zlib_version", t->zlib_version);
	json_text(out, "zlib_path", t->zlib_path);
	json_text(out, "device", t->device.name);
	json_text(out, "device_engine", t->device.engine);
	json_text(out, "device_description", t->device_text);
	fprintf(out, "  \"emulated\": %s,\n", t->device.is_emulated ? "true" : "false");
	json_text(out, "path", t->path_text);
	json_text(out, "format", t->format);
	fprintf(out, "  \"threads\": %u,\n  \"depth\": %u,\n", t->threads_nr, t->depth);
	fprintf(out, "  \"input_bytes\": %zu,\n  \"input_generated\": %s,\n  \"input\": [",
		t->input->len, t->input->is_generated ? "true" : "false");
	for (size_t i = 0; i < t->input->sources_nr; i++) {
		fprintf(out, "%s", i ? ", " : "");
		json_string(out, t->input->sources[i].name);
	}
	fprintf(out, "],\n  \"interrupted\": %s,\n  \"results\": [",
		t->is_interrupted ? "true" : "false");
	for (size_t i = 0; i < t->rows_nr; i++) {
		fprintf(out, "%s\n", i ? "," : "");
		json_row(out, &t->rows[i]);
	}
	fprintf(out, "\n  ]\n}\n");
}

static void csv_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', out);
		fputc(*s >= ' ' && *s <= '~' ? *s : '?', out);
	}
	fputc('"', out);
}

static void csv_side(FILE *out, const struct table_side *s)
{
	fprintf(out, ",%.4f,%.4f,%.4f,%.4f,%.4f,%.4f,%.6f,%.6f,%zu,%llu,%llu", s->cpu_mbps.median,
		s->cpu_mbps.min, s->cpu_mbps.max, s->wall_mbps.median, s->wall_mbps.min,
		s->wall_mbps.max, s->caller_s_per_gb, s->others_s_per_gb, s->packed_len,
		(unsigned long long)s->p50_ns, (unsigned long long)s->p99_ns);
}

#define CSV_SIDE(side)                                                                             \
	"," side "_cpu_mb_per_s," side "_cpu_min," side "_cpu_max," side "_wall_mb_per_s," side    \
	"_wall_min," side "_wall_max," side "_caller_cpu_s_per_gb," side                           \
	"_others_cpu_s_per_gb," side "_packed_bytes," side "_p50_ns," side "_p99_ns"

/* One line a cell, each complete in itself; a failed cell's figures are empty. */
void table_csv(const struct table *t, FILE *out)
{
	fprintf(out, "size,level,direction,format,threads,depth,calls,plain_bytes,trials,verified,"
		     "device_share,cpu_speed_ratio,cpu_speed_min,cpu_speed_max,caller_cpu_"
		     "ratio" CSV_SIDE("software")
			     CSV_SIDE("device") ",device_kind,device,zlib_version,cpu,failure\n");
	for (size_t i = 0; i < t->rows_nr; i++) {
		const struct table_row *r = &t->rows[i];

		fprintf(out, "%zu,%d,%s,%s,%u,%u,%zu,%zu,%u,%s,", r->size, r->level,
			table_direction(r->direction), t->format, t->threads_nr, t->depth,
			r->calls_nr, r->plain_len, r->trials_nr, r->failure ? "no" : "yes");
		if (r->failure) {
			for (unsigned int field = 0; field < 4 + 2 * 11; field++)
				fputc(',', out);
		} else {
			fprintf(out, "%.4f,%.4f,%.4f,%.4f,%.4f", r->device_share, r->speed.median,
				r->speed.min, r->speed.max, r->caller_gain);
			csv_side(out, &r->sides[TABLE_SOFT]);
			csv_side(out, &r->sides[TABLE_DEVICE]);
		}
		fprintf(out, ",%s,", t->device.is_emulated ? "emulated" : "hardware");
		csv_string(out, t->device_text);
		fputc(',', out);
		csv_string(out, t->zlib_version);
		fputc(',', out);
		csv_string(out, t->cpu);
		fputc(',', out);
		csv_string(out, r->failure ? r->failure : "");
		fputc('\n', out);
	}
}

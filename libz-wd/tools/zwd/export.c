/* SPDX-License-Identifier: Zlib */
/* Counters as JSON, and in the text format of Prometheus. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/zwd/json.h"
#include "tools/zwd/show.h"

static const char directions[2][8] = { "deflate", "inflate" };

/* As in ZWD_STATS=json:PATH and struct zwd_stats. */
const char export_counters[ZWD_COUNTERS][20] = {
	[ZWD_HW_REQUESTS] = "hw_requests",
	[ZWD_HW_IN] = "hw_in",
	[ZWD_HW_OUT] = "hw_out",
	[ZWD_SOFT_STREAMS] = "soft_streams",
	[ZWD_SOFT_IN] = "soft_in",
	[ZWD_SOFT_OUT] = "soft_out",
	[ZWD_FAILOVERS] = "failovers",
	[ZWD_RETRIES] = "retries",
	[ZWD_ERRORS] = "errors",
	[ZWD_STORED] = "stored",
	[ZWD_VERIFIED] = "verified",
	[ZWD_MISMATCHES] = "mismatches",
	[ZWD_PARALLEL_UNITS] = "parallel_units",
	[ZWD_RETURNS] = "returns",
	[ZWD_COPIED] = "copied",
	[ZWD_SOFT_SETTING] = "soft_setting",
	[ZWD_SOFT_LEVEL] = "soft_level",
	[ZWD_SOFT_STRATEGY] = "soft_strategy",
	[ZWD_SOFT_WINDOW] = "soft_window",
	[ZWD_SOFT_DICTIONARY] = "soft_dictionary",
	[ZWD_SOFT_TUNED] = "soft_tuned",
	[ZWD_SOFT_SMALL] = "soft_small",
	[ZWD_SOFT_NO_DEVICE] = "soft_no_device",
	[ZWD_SOFT_BUSY] = "soft_busy",
	[ZWD_SOFT_LATENCY] = "soft_latency",
	[ZWD_SOFT_FAILED] = "soft_failed",
	[ZWD_SOFT_GUARD] = "soft_guard",
	[ZWD_COMPARED] = "compared",
	[ZWD_COMPARED_HW] = "compared_hw",
	[ZWD_COMPARED_SOFT] = "compared_soft",
};

/* Of Prometheus. */
static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

/* null: measured all the time. */
static void print_min_len(const char *key, uint64_t min_len)
{
	if (min_len == ZWD_LIVE_LEARNED)
		printf("\"%s\":null,", key);
	else
		printf("\"%s\":%" PRIu64 ",", key, min_len);
}

static void print_json(const struct live *live, bool is_folder)
{
	printf(is_folder ? "{\"processes\":%d,\"program\":" : "{\"pid\":%d,\"program\":",
	       is_folder ? (int)live->nr : live->pid);
	json_print(stdout, live->program);
	printf(",\"library\":");
	json_print(stdout, live->library);
	if (live->is_shared)
		printf(",\"shared\":true");
	if (!is_folder)
		printf(",\"cpu_s\":%.6f,\"device_cpu_s\":%.6f", (double)live->cpu_ns / 1e9,
		       (double)live->device_cpu_ns / 1e9);
	for (int dir = 0; dir < 2; dir++) {
		printf(",\"%s\":{", directions[dir]);
		for (int i = 0; i < ZWD_COUNTERS; i++)
			printf("\"%s\":%" PRIu64 ",", export_counters[i], live->dir[dir].counters[i]);
		print_min_len("min_len", live->dir[dir].min_len);
		print_min_len("min_len_fast", live->dir[dir].min_len_fast);
		printf("\"ns_sum\":%" PRIu64 ",\"ns_p50\":%" PRIu64 ",\"ns_p99\":%" PRIu64
		       ",\"ns_p999\":%" PRIu64 "}",
		       live->dir[dir].ns_sum, live_latency(live, dir, 500),
		       live_latency(live, dir, 990), live_latency(live, dir, 999));
	}
	printf("}");
}

static void print_array(const struct lives *lives, bool is_folder, const char *between)
{
	printf("[");
	for (size_t i = 0; i < lives->nr; i++) {
		printf("%s", i ? between : "");
		print_json(&lives->live[i], is_folder);
	}
	printf("]");
}

void export_json(const struct lives *lives, bool is_folder)
{
	print_array(lives, is_folder, ",\n ");
	printf("\n");
}

void export_json_interval(const struct lives *lives, double seconds)
{
	printf("{\"seconds\":%.3f,\"processes\":", seconds);
	print_array(lives, false, ",");
	printf("}\n");
	fflush(stdout);
}

/* Names that nothing here changes once they are published. */
static const struct metric {
	char name[40];
	char label[32]; /* that tells the counters of one name apart */
	int counter;
	const char *help; /* of the first of them; NULL: as the one before */
} metrics[] = {
	{ "device_requests_total", "", ZWD_HW_REQUESTS, "Requests that the device finished." },
	{ "input_bytes_total", "engine=\"device\"", ZWD_HW_IN, "Bytes that were worked on." },
	{ "input_bytes_total", "engine=\"software\"", ZWD_SOFT_IN, NULL },
	{ "output_bytes_total", "engine=\"device\"", ZWD_HW_OUT, "Bytes that came of them." },
	{ "output_bytes_total", "engine=\"software\"", ZWD_SOFT_OUT, NULL },
	{ "software_streams_total", "", ZWD_SOFT_STREAMS, "Streams that software did or finished." },
	{ "software_reasons_total", "reason=\"setting\"", ZWD_SOFT_SETTING,
	  "Streams that were software's, by what made them so." },
	{ "software_reasons_total", "reason=\"level\"", ZWD_SOFT_LEVEL, NULL },
	{ "software_reasons_total", "reason=\"strategy\"", ZWD_SOFT_STRATEGY, NULL },
	{ "software_reasons_total", "reason=\"window\"", ZWD_SOFT_WINDOW, NULL },
	{ "software_reasons_total", "reason=\"dictionary\"", ZWD_SOFT_DICTIONARY, NULL },
	{ "software_reasons_total", "reason=\"tuned\"", ZWD_SOFT_TUNED, NULL },
	{ "software_reasons_total", "reason=\"small\"", ZWD_SOFT_SMALL, NULL },
	{ "software_reasons_total", "reason=\"no_device\"", ZWD_SOFT_NO_DEVICE, NULL },
	{ "software_reasons_total", "reason=\"busy\"", ZWD_SOFT_BUSY, NULL },
	{ "software_reasons_total", "reason=\"latency\"", ZWD_SOFT_LATENCY, NULL },
	{ "software_reasons_total", "reason=\"failed\"", ZWD_SOFT_FAILED, NULL },
	{ "software_reasons_total", "reason=\"guard\"", ZWD_SOFT_GUARD, NULL },
	{ "failovers_total", "", ZWD_FAILOVERS, "Streams that were taken from a device that failed." },
	{ "retries_total", "", ZWD_RETRIES, "Requests that were sent again." },
	{ "errors_total", "", ZWD_ERRORS, "Requests that failed." },
	{ "stored_units_total", "", ZWD_STORED, "Units that were stored because they would grow." },
	{ "verified_units_total", "", ZWD_VERIFIED, "Units that were inflated again and compared." },
	{ "mismatches_total", "", ZWD_MISMATCHES, "Units that were found to be wrong." },
	{ "parallel_units_total", "", ZWD_PARALLEL_UNITS, "Units in flight beside others of their stream." },
	{ "returns_total", "", ZWD_RETURNS, "Streams that came back to the device." },
	{ "copied_bytes_total", "", ZWD_COPIED, "Input that was copied for the device first." },
	{ "compared_units_total", "", ZWD_COMPARED, "Units that software compressed, too." },
	{ "compared_bytes_total", "engine=\"device\"", ZWD_COMPARED_HW, "Bytes that came of those." },
	{ "compared_bytes_total", "engine=\"software\"", ZWD_COMPARED_SOFT, NULL },
};

/* {program="nginx",pid="12",work="deflate" - the rest follows. */
static void print_labels(const struct live *live, bool is_folder, int dir)
{
	printf("{program=");
	print_string(live->program);
	if (!is_folder)
		printf(",pid=\"%d\"", live->pid);
	if (dir >= 0)
		printf(",direction=\"%s\"", directions[dir]);
}

static void print_head(const char *name, const char *type, const char *help)
{
	printf("# HELP libzwd_%s %s\n# TYPE libzwd_%s %s\n", name, help, name, type);
}

/* Powers of two from a microsecond to half a minute: what is faster or slower is in the ends. */
#define BUCKET_FIRST 9
#define BUCKET_LAST 34

static void print_histogram(const struct live *live, bool is_folder, int dir)
{
	static const char name[] = "libzwd_request_duration_seconds";
	uint64_t sum = 0;

	for (int i = 0; i < ZWD_LIVE_BUCKETS; i++) {
		sum += live->dir[dir].latencies[i];
		if (i < BUCKET_FIRST || i > BUCKET_LAST)
			continue;
		printf("%s_bucket", name);
		print_labels(live, is_folder, dir);
		printf(",le=\"%.9g\"} %" PRIu64 "\n", (double)(UINT64_C(2) << i) / 1e9, sum);
	}
	printf("%s_bucket", name);
	print_labels(live, is_folder, dir);
	printf(",le=\"+Inf\"} %" PRIu64 "\n%s_sum", sum, name);
	print_labels(live, is_folder, dir);
	printf("} %.9f\n%s_count", (double)live->dir[dir].ns_sum / 1e9, name);
	print_labels(live, is_folder, dir);
	printf("} %" PRIu64 "\n", sum);
}

static void print_cpu(const struct lives *lives)
{
	print_head("cpu_seconds_total", "counter",
		   "CPU time of the program's threads, and of an emulated device's in it.");
	for (size_t i = 0; i < lives->nr; i++)
		for (int is_device = 0; is_device < 2; is_device++) {
			const struct live *live = &lives->live[i];

			printf("libzwd_cpu_seconds_total");
			print_labels(live, false, -1);
			printf(",threads=\"%s\"} %.6f\n", is_device ? "device" : "program",
			       (double)(is_device ? live->device_cpu_ns : live->cpu_ns) / 1e9);
		}
}

void export_prom(const struct lives *lives, bool is_folder)
{
	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		if (metrics[m].help)
			print_head(metrics[m].name, "counter", metrics[m].help);
		for (size_t i = 0; i < lives->nr; i++)
			for (int dir = 0; dir < 2; dir++) {
				printf("libzwd_%s", metrics[m].name);
				print_labels(&lives->live[i], is_folder, dir);
				printf("%s%s} %" PRIu64 "\n", metrics[m].label[0] ? "," : "",
				       metrics[m].label,
				       lives->live[i].dir[dir].counters[metrics[m].counter]);
			}
	}
	print_head("request_duration_seconds", "histogram", "From a request's submission to its result.");
	for (size_t i = 0; i < lives->nr; i++)
		for (int dir = 0; dir < 2; dir++)
			print_histogram(&lives->live[i], is_folder, dir);
	if (!is_folder)
		print_cpu(lives);
	print_head("processes", "gauge", "Processes that have libz-wd and are counted here.");
	for (size_t i = 0; i < lives->nr; i++) {
		printf("libzwd_processes");
		print_labels(&lives->live[i], is_folder, -1);
		printf("} %u\n", lives->live[i].nr);
	}
}

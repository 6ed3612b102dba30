/* SPDX-License-Identifier: Zlib */
/* zwd selftest: round trips of many sizes through a device, results checked, none longer than 2
 * seconds, or than ZWD_TIMEOUT_MS. */
#include "config.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "tools/zwd/commands.h"
#include "tools/zwd/json.h"
#include "wd.h"
#include "wd_zip.h"

#define LIMIT_MS    2000 /* of a check, at least */
#define LIMIT_MAX   3600000
#define ARRAY_NR(a) (sizeof(a) / sizeof((a)[0]))

/* The checksums bit by bit: slow, and an independent reading of RFC 1950 and RFC 1952. */
static uint32_t crc32_of(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xffffffff;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static uint32_t adler32_of(const uint8_t *p, size_t len)
{
	uint32_t a = 1, b = 0;

	while (len--) {
		a = (a + *p++) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static const struct {
	const char *name;
	enum wd_zip_format format;
} formats[] = {
	{ "zlib", WD_ZIP_ZLIB },
	{ "gzip", WD_ZIP_GZIP },
	{ "deflate", WD_ZIP_DEFLATE },
};

static const struct {
	const char *name;
	uint32_t len;
} sizes[] = {
	{ "1 byte", 1 },	 { "100 bytes", 100 }, { "4 KiB", 4096 },
	{ "64 KiB + 1", 65537 }, { "1 MiB", 1 << 20 },
};

#define PLAIN_MAX  (1u << 20)
#define PACKED_MAX (PLAIN_MAX * 9 / 8 + 4096)
#define CHUNK	   50000 /* of a stream's input; divides no size above */

static uint64_t deadline_ms; /* of the check that runs */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* One direction of the device under test. */
struct side {
	struct wd_queue *queue;
	uint8_t *src;
	uint8_t *dst;
	void *ctx;
};

static void side_close(struct side *side)
{
	wd_release_queue(side->queue);
}

static int side_open(struct side *side, const char *device, const char *alg, enum wd_op_type op)
{
	struct wd_queue_attr attr = {
		.device = device,
		.alg = alg,
		.op_type = op,
		.numa_node = -1,
	};
	void *mem[3];
	int r = wd_request_queue(&attr, &side->queue);

	if (r)
		return r;
	r = wd_alloc(side->queue, PACKED_MAX, &mem[0]);
	if (!r)
		r = wd_alloc(side->queue, PACKED_MAX, &mem[1]);
	if (!r)
		r = wd_alloc(side->queue, WD_ZIP_CTX_SIZE, &mem[2]);
	if (r) {
		wd_release_queue(side->queue);
		return r;
	}
	side->src = mem[0];
	side->dst = mem[1];
	side->ctx = mem[2];
	return 0;
}

/* What a whole stream came to. */
struct outcome {
	uint32_t consumed, produced;
	uint32_t checksum, isize;
	uint8_t status, hw_status;
};

static int run_request(struct side *side, const struct wd_zip_req *req, struct outcome *out)
{
	struct wd_zip_res res;
	int r = wd_send(side->queue, req, 1);
	uint64_t now = now_ms();

	if (r > 0)
		r = wd_recv_sync(side->queue, &res, 1,
				 now < deadline_ms ? (unsigned int)(deadline_ms - now) : 0);
	if (r < 0)
		return r;
	if (res.tag != req->tag || res.consumed > req->src_len || res.produced > req->dst_len)
		return -EPROTO;
	out->consumed += res.consumed;
	out->produced += res.produced;
	out->checksum = res.checksum;
	out->isize = res.isize;
	out->status = res.status;
	out->hw_status = res.hw_status;
	return 0;
}

/* src_len bytes of side->src through the device, in one request or in many. 0 or -errno. */
static int run(struct side *side, enum wd_zip_format format, int is_stream, int is_inflate,
	       uint32_t src_len, struct outcome *out)
{
	uint8_t flags = is_stream ? WD_ZIP_STREAM | WD_ZIP_NEW : 0;
	uint32_t step = is_stream ? CHUNK : src_len;
	int r;

	*out = (struct outcome){ 0 };
	do {
		uint32_t left = src_len - out->consumed;
		uint32_t before = out->consumed + out->produced;
		struct wd_zip_req req = {
			.tag = out->consumed,
			.src = side->src + out->consumed,
			.dst = side->dst + out->produced,
			.ctx = side->ctx,
			.src_len = left < step ? left : step,
			.dst_len = PACKED_MAX - out->produced,
			.format = format,
			.flags = flags,
		};

		if (is_stream && !is_inflate && left <= step)
			req.flags |= WD_ZIP_FINISH;
		r = run_request(side, &req, out);
		if (r)
			return r;
		if (out->status == WD_ZIP_END || out->status > WD_ZIP_NO_ROOM)
			return 0;
		if (out->consumed + out->produced == before)
			return -ENODATA; /* no progress */
		flags &= ~WD_ZIP_NEW;
	} while (is_inflate || out->consumed < src_len);
	return 0;
}

/* Text that packs, with stretches that do not; the same every time. */
static void fill_plain(uint8_t *plain, uint32_t len)
{
	static const char words[] = "the queue is full, and the ring goes round and round again; ";
	uint32_t seed = 2463534242;

	for (uint32_t i = 0; i < len; i++) {
		if (!(i % 64)) {
			seed ^= seed << 13;
			seed ^= seed >> 17;
			seed ^= seed << 5;
		}
		if (seed % 4)
			plain[i] = words[(i + seed) % (sizeof(words) - 1)];
		else
			plain[i] = seed >> i % 24 ^ i * 31;
	}
}

/* Told from all other failures, for after it nothing is known of the device. */
static char hang[32];

static unsigned int limit_ms = LIMIT_MS;

/* A device that requests may take long on has that time here as well. */
static void take_limit(void)
{
	const char *set = getenv("ZWD_TIMEOUT_MS");
	const unsigned long ms = set ? strtoul(set, NULL, 10) : 0;

	if (ms > LIMIT_MS && ms <= LIMIT_MAX)
		limit_ms = (unsigned int)ms;
	snprintf(hang, sizeof(hang), "not done after %g s", limit_ms / 1000.0);
}

static const char *failure_of(int r)
{
	return r == -ETIMEDOUT ? hang : strerror(-r);
}

static const char *check(struct side *comp, struct side *decomp, enum wd_zip_format format,
			 int is_stream, const uint8_t *plain, uint32_t len, struct outcome *out)
{
	uint32_t sum = 0;
	int r;

	if (format == WD_ZIP_GZIP)
		sum = crc32_of(plain, len);
	else if (format == WD_ZIP_ZLIB)
		sum = adler32_of(plain, len);

	memcpy(comp->src, plain, len);
	r = run(comp, format, is_stream, 0, len, out);
	if (r)
		return failure_of(r);
	if (out->status != WD_ZIP_OK || out->consumed != len)
		return "compression failed";
	if (out->isize != len && is_stream)
		return "compression counted wrongly";
	if (out->checksum != sum && format != WD_ZIP_DEFLATE)
		return "wrong checksum from compression";

	memcpy(decomp->src, comp->dst, out->produced);
	r = run(decomp, format, is_stream, 1, out->produced, out);
	if (r)
		return failure_of(r);
	if (out->status != WD_ZIP_END)
		return "decompression failed";
	if (out->produced != len || memcmp(decomp->dst, plain, len))
		return "round trip changed the data";
	if (out->checksum != sum && format != WD_ZIP_DEFLATE)
		return "wrong checksum from decompression";
	return NULL;
}

/* What is known, in the order in which it comes to be. */
static struct report {
	const char *device;
	int is_json;
	unsigned int checks_nr, failed_nr;
	char last_words[512]; /* for when a call never comes back */
	size_t last_len;
} report;

static void report_begin(const char *device, int is_json)
{
	report = (struct report){ .device = device, .is_json = is_json };
	if (!is_json)
		return;
	printf("{\"device\": ");
	json_print(stdout, device);
	printf(", \"checks\": [");
}

static const char hangs_text[] =
	"hangs: what follows was not tried. It may need a reset; \"zwd doctor\" and the kernel's "
	"log may tell why.";

/* result: "ok", "FAIL" or "hang". Returns its length. */
static int put_check(char *text, size_t size, const char *format, int is_stream, const char *len,
		     const char *result, const char *failure, unsigned int hw_status)
{
	const char *how = is_stream ? "stream" : "block";
	int n;

	if (report.is_json)
		return snprintf(text, size,
				"%s\n{\"format\": \"%s\", \"how\": \"%s\", \"size\": \"%s\", "
				"\"result\": \"%s\", "
				"\"why\": \"%s\", \"status\": %u}",
				report.checks_nr ? "," : "", format, how, len, result,
				failure ? failure : "", hw_status);
	n = snprintf(text, size, "%-4s  %-7s  %-6s  %s", result, format, how, len);
	if (failure)
		n += snprintf(text + n, size - (size_t)n, ": %s (status 0x%02x)", failure,
			      hw_status);
	return n + snprintf(text + n, size - (size_t)n, "\n");
}

static int put_end(char *text, size_t size, const char *result)
{
	if (report.is_json)
		return snprintf(text, size, "\n], \"failed\": %u, \"result\": \"%s\"}\n",
				report.failed_nr, result);
	if (!strcmp(result, "hangs"))
		return snprintf(text, size, "%.64s: %s\n", report.device, hangs_text);
	if (report.failed_nr)
		return snprintf(text, size, "%.64s: %u checks failed.\n", report.device,
				report.failed_nr);
	return snprintf(text, size, "%.64s: works.\n", report.device);
}

static void on_alarm(int signal)
{
	ssize_t n = write(STDOUT_FILENO, report.last_words, report.last_len);

	_exit(n < 0 ? ZWD_FAILED : ZWD_FAILED);
}

/* From here on the check has its time, and a moment more before the process ends for it. */
static void limit(const char *format, int is_stream, const char *len)
{
	const struct itimerval timer = { .it_value = { .tv_sec = limit_ms / 1000 + 1 } };
	int n = put_check(report.last_words, sizeof(report.last_words), format, is_stream, len,
			  "hang", hang, 0);

	n += put_end(report.last_words + n, sizeof(report.last_words) - (size_t)n, "hangs");
	report.last_len = (size_t)n;
	fflush(stdout); /* what was said is said once */
	deadline_ms = now_ms() + limit_ms;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void unlimit(void)
{
	const struct itimerval none = { 0 };

	setitimer(ITIMER_REAL, &none, NULL);
}

/* All checks of one format. 0; -ETIMEDOUT: it hangs; or why there is no queue. */
static int check_format(const struct wd_device_info *info, size_t f, const uint8_t *plain)
{
	struct side comp, decomp;
	char line[512];
	int r;

	limit(formats[f].name, 0, "opening queues");
	r = side_open(&comp, info->name, formats[f].name, WD_OP_COMPRESS);
	if (!r) {
		r = side_open(&decomp, info->name, formats[f].name, WD_OP_DECOMPRESS);
		if (r)
			side_close(&comp);
	}
	unlimit();
	if (r)
		return r == -ETIMEDOUT ? -EIO : r;
	for (size_t i = 0; i < 2 * ARRAY_NR(sizes); i++) {
		const char *len = sizes[i / 2].name, *failure;
		struct outcome out = { 0 };
		int is_stream = i % 2;

		limit(formats[f].name, is_stream, len);
		failure = check(&comp, &decomp, formats[f].format, is_stream, plain,
				sizes[i / 2].len, &out);
		unlimit();
		put_check(line, sizeof(line), formats[f].name, is_stream, len,
			  failure == hang ? "hang"
			  : failure	  ? "FAIL"
					  : "ok",
			  failure, out.hw_status);
		fputs(line, stdout);
		report.checks_nr++;
		report.failed_nr += failure != NULL;
		/* Its memory may still be the device's, which keeps the queue from being closed. */
		if (failure == hang)
			return -ETIMEDOUT;
	}
	limit(formats[f].name, 0, "closing queues");
	side_close(&comp);
	side_close(&decomp);
	unlimit();
	return 0;
}

static int selftest_device(const struct zwd_args *args)
{
	const struct wd_device_info *info;
	uint8_t *plain;
	char line[512];
	int r = devices_first(args, &info);

	if (r)
		return r;
	plain = malloc(PLAIN_MAX);
	if (!plain) {
		fprintf(stderr, "zwd: out of memory\n");
		return ZWD_FAILED;
	}
	fill_plain(plain, PLAIN_MAX);
	take_limit();
	report_begin(info->name, args->is_json);
	for (size_t f = 0; f < ARRAY_NR(formats) && !r; f++)
		if (strstr(info->algs, formats[f].name))
			r = check_format(info, f, plain);
	free(plain);
	if (r && r != -ETIMEDOUT) {
		fprintf(stderr, "zwd: %s: cannot open a queue: %s\n", info->name, strerror(-r));
		report.failed_nr++;
	}
	if (!r || r == -ETIMEDOUT || args->is_json) {
		put_end(line, sizeof(line),
			r == -ETIMEDOUT	   ? "hangs"
			: r		   ? "no queue"
			: report.failed_nr ? "fails"
					   : "works");
		fputs(line, stdout);
	}
	if (r == -ETIMEDOUT) {
		/* Nothing waits for the device. */
		fflush(stdout);
		_exit(ZWD_FAILED);
	}
	return report.failed_nr ? ZWD_FAILED : ZWD_DONE;
}

int selftest_run(const struct zwd_args *args)
{
	return args->is_zlib ? selftest_zlib(args) : selftest_device(args);
}

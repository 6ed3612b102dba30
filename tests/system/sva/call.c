/* SPDX-License-Identifier: Zlib */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

static unsigned int wrong_nr;

void tell(int is_good, const char *what)
{
	printf("%s - %s\n", is_good ? "ok" : "wrong", what);
	fflush(stdout);
	wrong_nr += !is_good;
}

unsigned int wrongs(void)
{
	return wrong_nr;
}

static void must(int ret, const char *what)
{
	if (!ret)
		return;
	printf("# %s: %s\n", what, strerror(-ret));
	exit(2);
}

struct wd_queue *queue_open(const char *device)
{
	const struct wd_queue_attr attr = { .device = device, .alg = "zlib", .numa_node = -1 };
	struct wd_queue *q;

	must(wd_request_queue(&attr, &q), "wd_request_queue");
	must(wd_mem_share(q, NULL, 0, WD_SHARE_ALL), "WD_SHARE_ALL");
	return q;
}

int call(struct wd_queue *q, const void *src, uint32_t len, void *dst, uint32_t room,
	 struct wd_zip_res *res)
{
	const struct wd_zip_req req = {
		.src = (void *)src,
		.dst = dst,
		.src_len = len,
		.dst_len = room,
		.format = WD_ZIP_ZLIB,
	};
	int ret;

	memset(res, 0, sizeof(*res));
	ret = wd_call(q, &req, res, PATIENCE_MS);
	if (ret)
		printf("# wd_call: %s\n", strerror(-ret));
	return ret || res->status != WD_ZIP_OK ? -1 : (int)res->produced;
}

int is_back(const void *dst, int made, const void *src, uint32_t len)
{
	unsigned char *back = malloc(len + 1);
	z_stream z = {
		.next_in = (void *)dst, .avail_in = made, .next_out = back, .avail_out = len + 1
	};
	int good = made > 0 && back && inflateInit2(&z, -15) == Z_OK;

	if (good) {
		good = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == len;
		inflateEnd(&z);
	}
	for (uint32_t i = 0; good && i < len; i++)
		good = back[i] == (src ? ((const unsigned char *)src)[i] : 0);
	free(back);
	return good;
}

int is_right(struct wd_queue *q, const void *src, uint32_t len, void *dst, uint32_t room)
{
	struct wd_zip_res res;
	const int made = call(q, src, len, dst, room, &res);

	if (made < 0)
		printf("# status %u (hardware %#x)\n", res.status, res.hw_status);
	return made > 0 && res.consumed == len && is_back(dst, made, src, len);
}

int is_refused(struct wd_queue *q, const void *src, uint32_t len, void *dst, uint32_t room)
{
	struct wd_zip_res res;

	return call(q, src, len, dst, room, &res) < 0 && res.status && !res.produced;
}

void fill(void *mem, size_t len, unsigned int seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (size_t i = 0; i < len; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		((char *)mem)[i] = 'a' + (state >> 61);
	}
}

void *untouched(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(mem == MAP_FAILED ? -12 : 0, "memory");
	return mem;
}

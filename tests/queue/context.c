/* SPDX-License-Identifier: Zlib */
/* Guards stream contexts: all of a stream's state is in them, so a copy goes on in any place. */
#include "queue.h"

#define TEXT_LEN 300000
#define STEP 20000

static uint8_t text[TEXT_LEN], packed[TEXT_LEN + 4096], plain[TEXT_LEN + 4096];

/* Moves the stream to the other side as far as wd_zip_ctx_used() says; the old place is spoilt. */
static void move(const struct side *from, const struct side *to)
{
	size_t used = wd_zip_ctx_used(from->ctx);

	assert_in_range(used, 64, WD_ZIP_CTX_SIZE);
	memset(to->ctx, 0xa5, WD_ZIP_CTX_SIZE);
	memcpy(to->ctx, from->ctx, used);
	memset(from->ctx, 0x5a, WD_ZIP_CTX_SIZE);
}

/* A stream over both sides in turn. Returns the bytes made; the last result in *res. */
static uint32_t run_stream(struct side sides[2], enum wd_zip_format format, int is_inflate,
			   const uint8_t *in, uint32_t in_len, uint8_t *out, uint32_t out_room,
			   struct wd_zip_res *res)
{
	uint32_t used = 0, made = 0;

	for (unsigned int turn = 0;; turn++) {
		const struct side *s = &sides[turn % 2];
		uint32_t len = in_len - used < STEP ? in_len - used : STEP;
		struct wd_zip_req req = {
			.tag = turn, .src = s->src, .dst = s->dst, .ctx = s->ctx, .src_len = len,
			.dst_len = STEP + turn * 999 % 30000, .format = format,
			.flags = WD_ZIP_STREAM | (turn ? 0 : WD_ZIP_NEW),
		};

		assert_true(turn < 1000);
		if (!is_inflate && used + len == in_len)
			req.flags |= WD_ZIP_FINISH;
		if (!is_inflate)
			req.dst_len = STEP * 2;
		memcpy(s->src, in + used, len);
		*res = run(s, &req);
		assert_true(res->status <= WD_ZIP_NO_ROOM);
		assert_true(made + res->produced <= out_room);
		memcpy(out + made, s->dst, res->produced);
		used += res->consumed;
		made += res->produced;
		if (is_inflate ? res->status == WD_ZIP_END : used == in_len)
			break;
		move(s, &sides[(turn + 1) % 2]);
	}
	assert_int_equal(used, in_len);
	return made;
}

static void test_context_moves_between_queues(void **state)
{
	fill_text(text, TEXT_LEN, 12345);
	for_versions(version) {
		const char *device = any_device("threads=2", version);
		struct side c[2], d[2];

		for (unsigned int i = 0; i < 2; i++) {
			side_open(&c[i], device, WD_OP_COMPRESS, 0);
			side_open(&d[i], device, WD_OP_DECOMPRESS, 0);
		}
		for (unsigned int format = version < 3 ? WD_ZIP_ZLIB : WD_ZIP_DEFLATE;
		     format <= WD_ZIP_GZIP; format++) {
			struct wd_zip_res last;
			uint32_t checksum, len;

			len = run_stream(c, format, 0, text, TEXT_LEN, packed, sizeof(packed),
					 &last);
			assert_int_equal(last.isize, TEXT_LEN);
			checksum = last.checksum;
			len = run_stream(d, format, 1, packed, len, plain, sizeof(plain), &last);
			assert_int_equal(len, TEXT_LEN);
			assert_memory_equal(plain, text, TEXT_LEN);
			assert_int_equal(last.checksum, checksum);
		}
		for (unsigned int i = 0; i < 2; i++) {
			side_close(&c[i]);
			side_close(&d[i]);
		}
	}
}

/* Going back to a copy repeats the request exactly. */
static void test_context_snapshot(void **state)
{
	static uint8_t copy[WD_ZIP_CTX_SIZE], first[4 * STEP];
	struct wd_zip_res res, again;
	struct wd_zip_req req;
	struct side s;

	fill_text(text, TEXT_LEN, 777);
	side_open(&s, any_device("", 2), WD_OP_COMPRESS, 0);
	memcpy(s.src, text, 2 * STEP);
	req = block(&s, 1, STEP);
	req.ctx = s.ctx;
	req.flags = WD_ZIP_STREAM | WD_ZIP_NEW;
	res = run(&s, &req);
	assert_int_equal(res.status, WD_ZIP_OK);
	memcpy(copy, s.ctx, wd_zip_ctx_used(s.ctx));

	req.flags = WD_ZIP_STREAM | WD_ZIP_FINISH;
	req.src = s.src + STEP;
	res = run(&s, &req);
	assert_true(res.produced <= sizeof(first));
	memcpy(first, s.dst, res.produced);
	memset(s.ctx, 0, WD_ZIP_CTX_SIZE);
	memcpy(s.ctx, copy, wd_zip_ctx_used(copy));
	again = run(&s, &req);
	assert_int_equal(again.produced, res.produced);
	assert_int_equal(again.checksum, res.checksum);
	assert_int_equal(again.isize, 2 * STEP);
	assert_memory_equal(s.dst, first, res.produced);
	side_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context_moves_between_queues),
		cmocka_unit_test(test_context_snapshot),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

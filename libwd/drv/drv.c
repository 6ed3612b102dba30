/* SPDX-License-Identifier: Zlib */
/* Driver table: the ZIP engine behind the three versions of its queue manager. */
#include <string.h>
#include "drv/drv.h"
#include "drv/hisi_qm.h"
#include "drv/hisi_zip.h"
#include "priv.h"

static int zip_fill(struct wd_queue *q, const void *request, void *sqe, struct wd_slot *slot)
{
	const struct wd_zip_req *req = request;
	struct hisi_zip_addr addr = { 0 };
	int r = hisi_zip_check(req, q->drv->has_raw);

	if (r)
		return r;
	slot->tag = req->tag;
	slot->ctx = NULL;
	r = wd_mem_addr(q, WD_MEM_SRC, req->src, req->src_len, &addr.src);
	if (r)
		return r;
	r = wd_mem_addr(q, WD_MEM_DST, req->dst, req->dst_len, &addr.dst);
	if (r)
		return r;
	if (req->flags & WD_ZIP_STREAM) {
		slot->ctx = req->ctx;
		r = wd_mem_addr(q, WD_MEM_CTX, req->ctx, WD_ZIP_CTX_SIZE, &addr.ctx);
		if (r)
			return r;
	}
	hisi_zip_fill(sqe, req, &addr, q->drv->sqe_type);
	return 0;
}

static void zip_parse(struct wd_queue *q, const void *sqe, const struct wd_slot *slot, void *res)
{
	hisi_zip_parse(res, sqe, q->drv->sqe_type, q->op_type);
	((struct wd_zip_res *)res)->tag = slot->tag;
	if (slot->ctx)
		hisi_zip_save(slot->ctx, sqe, q->transport->is_emulated);
}

static int zip_names(const void *sqe, uint64_t start, uint64_t len)
{
	return hisi_zip_names(sqe, start, len);
}

#define ZIP(version, type, raw)                                                     \
	{                                                                           \
		.api = HISI_QM_API_V##version, .qm_version = version,               \
		.sqe_type = type, .has_raw = raw,                                   \
		.req_len = sizeof(struct wd_zip_req), .res_len = sizeof(struct wd_zip_res), \
		.fill = zip_fill, .parse = zip_parse, .names = zip_names,           \
	}

static const struct wd_drv drivers[] = {
	ZIP(1, HISI_ZIP_SQE_TYPE0, 0),
	ZIP(2, HISI_ZIP_SQE_TYPE0, 0),
	ZIP(3, HISI_ZIP_SQE_TYPE3, 1),
};

const struct wd_drv *wd_drv_find(const char *api)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i].api, api))
			return &drivers[i];
	return NULL;
}

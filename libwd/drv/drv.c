/* SPDX-License-Identifier: Zlib */
/* Driver table: the ZIP engine behind the three versions of its queue manager. */
#include <stddef.h>
#include <string.h>
#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>
#include "drv/drv.h"
#include "wd_zip.h"

#define BODIES (1u << WD_ZIP_ZLIB | 1u << WD_ZIP_GZIP)

static const struct wd_drv drivers[] = {
	{ HISI_QM_API_V1, 1, HISI_ZIP_SQE_TYPE0, BODIES },
	{ HISI_QM_API_V2, 2, HISI_ZIP_SQE_TYPE0, BODIES },
	{ HISI_QM_API_V3, 3, HISI_ZIP_SQE_TYPE3, BODIES | 1u << WD_ZIP_DEFLATE },
};

const struct wd_drv *wd_drv_find(const char *api)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i].api, api))
			return &drivers[i];
	return NULL;
}

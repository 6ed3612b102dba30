/* SPDX-License-Identifier: Zlib */
/* What a device's api string says about its queues and entries. */
#ifndef WD_DRV_H
#define WD_DRV_H

struct wd_drv {
	char api[16];
	unsigned int qm_version;
	unsigned int sqe_type; /* HISI_ZIP_SQE_TYPE0 or _TYPE3 */
	unsigned int formats;  /* bits 1 << enum wd_zip_format */
};

/* NULL: nobody speaks that. */
const struct wd_drv *wd_drv_find(const char *api);

#endif

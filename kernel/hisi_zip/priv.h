/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the engine's driver share. */
#ifndef HISI_ZIP_PRIV_H
#define HISI_ZIP_PRIV_H

#include <wd/wd_qm.h>
#include "regs.h"

/* hw.c: hooks of struct wd_qm_engine */
int hisi_zip_hw_init(struct wd_qm *qm);
void hisi_zip_hw_fini(struct wd_qm *qm);
void hisi_zip_err_enable(struct wd_qm *qm);
void hisi_zip_err_disable(struct wd_qm *qm);
u32 hisi_zip_err_status(struct wd_qm *qm, bool *is_reset);
void hisi_zip_err_clear(struct wd_qm *qm, u32 status);
void hisi_zip_err_axi(struct wd_qm *qm, bool is_reported);
void hisi_zip_ecc_raise(struct wd_qm *qm);
void hisi_zip_master_open(struct wd_qm *qm);

#endif

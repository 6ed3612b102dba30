/* SPDX-License-Identifier: Zlib */
/* Memory behind a PASID: addresses from the IOMMU's translation service, pages by its requests. */
#ifndef MODEL_PAGES_H
#define MODEL_PAGES_H

#include "qemu.h"

#include "emu/emu_qm.h"

#define PAGES_GROUPS 512 /* numbers that requests of one device have */

struct pages {
	struct qemu_pri_notifier notifier; /* first: QEMU gives it back */
	void *pdev;
	void *bh; /* scheduled when there are answers */
	struct {
		bool is_asked;
		bool is_answered;
		bool is_there;
		unsigned int queue;
	} group[PAGES_GROUPS];
	unsigned int next;
	uint64_t *at; /* where the pages of an access are */
	size_t at_room;
	struct {
		uint64_t reads;
		uint64_t writes;
		uint64_t groups;  /* requests for pages */
		uint64_t pages;	  /* asked for by them */
		uint64_t refused; /* requests answered by a failure */
		uint64_t denied;  /* accesses */
	} stats;
};

void pages_init(struct pages *pages, void *pdev, void *bh);
/* As struct emu_qm_host's dma(), of what has a PASID. */
int pages_access(struct pages *pages, const struct emu_qm_tag *tag, uint64_t iova, void *buf,
		 uint64_t len, bool is_write);
/* Tells the model of the answers that have come. */
void pages_answer(struct pages *pages, struct emu_qm *qm);
/* Forgets what was asked for. */
void pages_reset(struct pages *pages);

#endif

// SPDX-License-Identifier: Zlib
#include "config.h"
#include "pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_LEN  UINT64_C(4096)
#define GROUP_MAX 32u /* pages of one request */

/* Runs in the middle of QEMU's work on the IOMMU: an interrupt raised here would be lost. */
static void on_response(struct qemu_pri_notifier *notifier, struct qemu_pri_response *response)
{
	struct pages *pages = (struct pages *)notifier;
	const unsigned int group = response->group % PAGES_GROUPS;

	if (!pages->group[group].is_asked)
		return;
	pages->group[group].is_asked = false;
	pages->group[group].is_answered = true;
	pages->group[group].is_there = response->code == 0;
	pages->stats.refused += response->code != 0;
	qemu.qemu_bh_schedule(pages->bh);
}

void pages_init(struct pages *pages, void *pdev, void *bh)
{
	pages->notifier.notify = on_response;
	pages->pdev = pdev;
	pages->bh = bh;
}

/* Where the page is in the machine's memory. False: not there, or not for this. */
static bool translate(struct pages *pages, unsigned int pasid, uint64_t page, bool is_write,
		      uint64_t *at)
{
	const int perm = is_write ? QEMU_PERM_WRITE : QEMU_PERM_READ;
	struct qemu_tlb_entry entry = { 0 };
	uint32_t errors = 0;

	if (qemu.pci_ats_request_translation(pages->pdev, pasid, false, false, page, PAGE_LEN,
					     !is_write, &entry, 1, &errors) != 1 ||
	    errors || !(entry.perm & perm))
		return false;
	*at = (entry.translated & ~entry.mask) | (page & entry.mask);
	return true;
}

/* Asks for pages in one group; the answer is the queue's. 0 or -errno: there is nobody to ask. */
static int ask(struct pages *pages, const struct emu_qm_tag *tag, const uint64_t *missing,
	       unsigned int nr, bool is_write)
{
	unsigned int group = pages->next, tries = 0;

	while (pages->group[group].is_asked || pages->group[group].is_answered) {
		group = (group + 1) % PAGES_GROUPS;
		if (++tries == PAGES_GROUPS)
			return -EFAULT;
	}
	pages->next = (group + 1) % PAGES_GROUPS;
	/* The address space behind a PASID may be another one than last time. */
	qemu.pci_pri_register_notifier(pages->pdev, tag->pasid, &pages->notifier);
	pages->group[group].is_asked = true;
	pages->group[group].queue = tag->queue;
	pages->stats.groups++;
	pages->stats.pages += nr;
	for (unsigned int i = 0; i < nr; i++)
		if (qemu.pci_pri_request_page(pages->pdev, tag->pasid, false, false, missing[i],
					      i + 1 == nr, group, true, is_write)) {
			pages->group[group].is_asked = pages->group[group].is_answered = false;
			return -EFAULT;
		}
	return 0;
}

/* The addresses of all pages of the range, or a question for those that are missing. */
static int find(struct pages *pages, const struct emu_qm_tag *tag, uint64_t first, size_t nr,
		bool is_write)
{
	uint64_t missing[GROUP_MAX];
	unsigned int missing_nr = 0, max = qemu.pcie_pri_get_req_alloc(pages->pdev);

	if (nr > pages->at_room) {
		uint64_t *at = realloc(pages->at, nr * sizeof(*at));

		if (!at)
			return -ENOMEM;
		pages->at = at;
		pages->at_room = nr;
	}
	if (max > GROUP_MAX)
		max = GROUP_MAX;
	for (size_t i = 0; i < nr; i++) {
		const uint64_t page = first + i * PAGE_LEN;

		if (translate(pages, tag->pasid, page, is_write, &pages->at[i]))
			continue;
		if (tag->is_final || !max)
			return -EFAULT;
		missing[missing_nr++] = page;
		if (missing_nr == max)
			break;
	}
	if (!missing_nr)
		return 0;
	return ask(pages, tag, missing, missing_nr, is_write) ? -EFAULT : -EAGAIN;
}

int pages_access(struct pages *pages, const struct emu_qm_tag *tag, uint64_t iova, void *buf,
		 uint64_t len, bool is_write)
{
	const uint64_t first = iova & ~(PAGE_LEN - 1);
	const size_t nr = (iova + len - first + PAGE_LEN - 1) / PAGE_LEN;
	int ret = find(pages, tag, first, nr, is_write);

	pages->stats.denied += ret && ret != -EAGAIN;
	if (ret || !buf)
		return ret;
	if (is_write)
		pages->stats.writes++;
	else
		pages->stats.reads++;
	for (uint64_t done = 0, piece; done < len; done += piece) {
		const uint64_t off = (iova + done) % PAGE_LEN;

		piece = len - done < PAGE_LEN - off ? len - done : PAGE_LEN - off;
		if (qemu.address_space_rw(qemu.address_space_memory,
					  pages->at[(iova + done - first) / PAGE_LEN] + off, 0,
					  (uint8_t *)buf + done, piece, is_write))
			return -EFAULT;
	}
	return 0;
}

void pages_answer(struct pages *pages, struct emu_qm *qm)
{
	for (unsigned int i = 0; i < PAGES_GROUPS; i++) {
		if (!pages->group[i].is_answered)
			continue;
		pages->group[i].is_answered = false;
		emu_qm_page_response(qm, pages->group[i].queue, pages->group[i].is_there);
	}
}

void pages_reset(struct pages *pages)
{
	memset(pages->group, 0, sizeof(pages->group));
}

// SPDX-License-Identifier: GPL-2.0-only
/* Counters of each function: wd_hisi_qm/<device>/counters in debugfs. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "priv.h"

static struct dentry *root;

static const char *const counter_names[WD_QM_COUNTERS] = {
	[WD_QM_IRQ_EQ] = "irq_eq",
	[WD_QM_IRQ_AEQ] = "irq_aeq",
	[WD_QM_IRQ_ABNORMAL] = "irq_abnormal",
	[WD_QM_IRQ_EMPTY] = "irq_empty",
	[WD_QM_EVENT] = "event",
	[WD_QM_EVENT_BAD] = "event_bad",
	[WD_QM_RESYNC] = "resync",
	[WD_QM_MBOX] = "mbox",
	[WD_QM_MBOX_FAILED] = "mbox_failed",
	[WD_QM_CTX_BAD] = "ctx_bad",
	[WD_QM_RESET] = "reset",
	[WD_QM_RESET_FAILED] = "reset_failed",
	[WD_QM_QUEUE_STARTED] = "queue_started",
	[WD_QM_QUEUE_UNDRAINED] = "queue_undrained",
	[WD_QM_QUEUE_BROKEN] = "queue_broken",
	[WD_QM_CQE_BAD] = "cqe_bad",
	[WD_QM_SUBMITTED] = "submitted",
	[WD_QM_REAPED] = "reaped",
};

static int counters_show(struct seq_file *file, void *unused)
{
	struct wd_qm *qm = file->private;

	for (u32 i = 0; i < WD_QM_COUNTERS; i++)
		seq_printf(file, "%s %lld\n", counter_names[i], atomic64_read(&qm->counters[i]));
	seq_printf(file, "queues %u\nqueues_used %u\n", qm->qp_nr,
		   bitmap_weight(qm->used, qm->qp_nr));
	for (u32 i = 1; i < qm->engine->refusal_nr; i++)
		seq_printf(file, "refused_%s %lld\n", qm->engine->refusals[i],
			   atomic64_read(&qm->refused[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

void wd_qm_debugfs_add(struct wd_qm *qm)
{
	qm->debugfs = debugfs_create_dir(pci_name(qm->pdev), root);
	debugfs_create_file("counters", 0444, qm->debugfs, qm, &counters_fops);
}

void wd_qm_debugfs_del(struct wd_qm *qm)
{
	debugfs_remove(qm->debugfs);
}

void wd_qm_debugfs_init(void)
{
	root = debugfs_create_dir("wd_hisi_qm", NULL);
}

void wd_qm_debugfs_fini(void)
{
	debugfs_remove(root);
}

// SPDX-License-Identifier: GPL-2.0-only
/* One function of the controller: capabilities, resources, registration. */
#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "priv.h"

/* Chapter 5.1 */
static const struct wd_qm_cap cap_eq_depth = {
	QM_CAP_EQ_DEPTH, 0x00000800, 0x04000800, 0x04000800
};
static const struct wd_qm_cap cap_irq_eq = { QM_CAP_IRQ_EQ, 0x10000, 0x10000, 0x10000 };
static const struct wd_qm_cap cap_irq_aeq = { QM_CAP_IRQ_AEQ, 0, 0x10001, 0x10001 };
static const struct wd_qm_cap cap_irq_abnormal = { QM_CAP_IRQ_ABNORMAL, 0, 0x10003, 0x10003 };
static const struct wd_qm_cap cap_vectors = { QM_CAP_VECTORS, 0x10001, 0x40002, 0x40003 };
static const struct wd_qm_cap cap_nfe = { QM_CAP_NFE, 0, 0x1c57, 0x7c77 };
static const struct wd_qm_cap cap_reset = { QM_CAP_RESET, 0, 0xc57, 0x6c77 };
static const struct wd_qm_cap cap_ce = { QM_CAP_CE, 0, 0x8, 0x8 };
static const struct wd_qm_cap cap_flags = { QM_CAP_FLAGS, 0, 0, 0x6f01 };

#define V1_QPS 0x1000
#define V2_QPS 0x400
#define EQ_DEPTH_MIN 64

u32 wd_qm_cap(struct wd_qm *qm, const struct wd_qm_cap *cap)
{
	switch (qm->version) {
	case WD_QM_V1:
		return cap->v1;
	case WD_QM_V2:
		return cap->v2;
	default:
		return qm->cap_version ? wd_qm_read(qm, cap->offset) : cap->v3;
	}
}
EXPORT_SYMBOL_GPL(wd_qm_cap);

static int read_irq(struct wd_qm *qm, const struct wd_qm_cap *cap, struct wd_qm_irq *irq)
{
	u32 word = wd_qm_cap(qm, cap);

	irq->vector = word & 0xffff;
	irq->is_present = word >> 16 & 0xff;
	if (irq->is_present && irq->vector >= qm->vector_nr)
		return -EINVAL;
	return 0;
}

/* What the device says is as good as the device: numbers that make no sense fail the probe. */
static int read_caps(struct wd_qm *qm)
{
	u32 word;
	int ret;

	if (qm->version >= WD_QM_V3)
		qm->cap_version = wd_qm_read(qm, QM_CAP_FLAGS) & QM_CAP_VERSION;
	qm->cap_flags = wd_qm_cap(qm, &cap_flags);

	word = wd_qm_cap(qm, &cap_eq_depth);
	qm->eq.depth = word & 0xffff;
	qm->aeq.depth = word >> 16;

	word = wd_qm_cap(qm, &cap_vectors);
	qm->vector_nr = qm->is_vf ? word & 0xffff : word >> 16;
	if (!qm->vector_nr || qm->vector_nr > 32)
		goto bad;
	ret = read_irq(qm, &cap_irq_eq, &qm->irq_eq);
	if (!ret)
		ret = read_irq(qm, &cap_irq_aeq, &qm->irq_aeq);
	if (!ret && !qm->is_vf)
		ret = read_irq(qm, &cap_irq_abnormal, &qm->irq_abnormal);
	if (ret || !qm->irq_eq.is_present)
		goto bad;
	if (qm->eq.depth < EQ_DEPTH_MIN || (qm->irq_aeq.is_present && !qm->aeq.depth))
		goto bad;

	qm->err_nfe = wd_qm_cap(qm, &cap_nfe);
	/*
	 * What any user can bring about with his doorbell is no reason to reset the function of
	 * all: a wrong random value, which the device ignores, and more events than fit.
	 */
	qm->err_nfe &= ~QM_ERR_DB_RANDOM;
	qm->err_ce = wd_qm_cap(qm, &cap_ce);
	qm->err_reset = wd_qm_cap(qm, &cap_reset) & ~(QM_ERR_DB_RANDOM | QM_ERR_FIFO);
	qm->err_shutdown = qm->version >= WD_QM_V3 ? qm->err_reset : QM_ERR_ECC_MULTI;
	if (qm->version == WD_QM_V1)
		qm->err_shutdown = 0;
	return qm->engine->caps(qm);
bad:
	pci_err(qm->pdev, "capabilities make no sense\n");
	return -EINVAL;
}

/* How many queues this function has: a PF chooses, a VF is told (chapter 7). */
static int count_queues(struct wd_qm *qm, u32 wanted)
{
	u64 entry;
	u32 base, word;
	int ret;

	if (qm->is_vf) {
		if (qm->version == WD_QM_V1) {
			qm->qp_nr = V1_QPS - 64;
		} else {
			ret = wd_qm_mbox_get(qm, WD_QM_MBOX_VFT, &entry);
			if (ret)
				return ret;
			wd_qm_vft_parse(entry, &base, &qm->qp_nr);
		}
		qm->qp_total = qm->qp_nr;
		qm->qp_max = qm->qp_nr;
	} else {
		if (qm->version >= WD_QM_V3) {
			word = wd_qm_read(qm, QM_CAPABILITY);
			qm->qp_total = word & QM_TOTAL_QPS;
			qm->qp_max = V2_QPS;
			if (qm->db_phys)
				qm->qp_max = word >> QM_FUNC_QPS_SHIFT & QM_TOTAL_QPS;
		} else {
			qm->qp_total = qm->version == WD_QM_V2 ? V2_QPS : V1_QPS;
			qm->qp_max = qm->qp_total;
		}
		qm->qp_max = min(qm->qp_max, qm->qp_total);
		qm->qp_nr = min(wanted, qm->qp_max);
	}
	if (qm->db_phys)
		qm->qp_nr = min_t(u64, qm->qp_nr,
				  pci_resource_len(qm->pdev, QM_DB_BAR) / QM_DB_INTERVAL);
	if (!qm->qp_nr || qm->qp_nr > V1_QPS) {
		pci_err(qm->pdev, "no queues\n");
		return -ENODEV;
	}
	return 0;
}

static int mem_alloc(struct wd_qm *qm, struct wd_qm_mem *mem, size_t len)
{
	mem->len = PAGE_ALIGN(len);
	mem->va = dma_alloc_coherent(&qm->pdev->dev, mem->len, &mem->dma, GFP_KERNEL);
	return mem->va ? 0 : -ENOMEM;
}

static void mem_free(struct wd_qm *qm, struct wd_qm_mem *mem)
{
	dma_free_coherent(&qm->pdev->dev, mem->len, mem->va, mem->dma);
}

/* Both event rings, then both base tables. */
static int rings_alloc(struct wd_qm *qm)
{
	size_t eq_len = PAGE_ALIGN(qm->eq.depth * sizeof(u32));
	size_t aeq_len = PAGE_ALIGN(qm->aeq.depth * sizeof(u32));
	size_t table_len = PAGE_ALIGN(qm->qp_nr * WD_QM_CTX_LEN);
	int ret;

	ret = mem_alloc(qm, &qm->rings, eq_len + aeq_len + 2 * table_len);
	if (ret)
		return ret;
	qm->eq.entries = qm->rings.va;
	qm->eq.dma = qm->rings.dma;
	qm->aeq.entries = qm->rings.va + eq_len;
	qm->aeq.dma = qm->rings.dma + eq_len;
	qm->sqc_dma = qm->aeq.dma + aeq_len;
	qm->sqc_table = qm->rings.va + eq_len + aeq_len;
	qm->cqc_table = qm->sqc_table + table_len;
	qm->cqc_dma = qm->sqc_dma + table_len;
	qm->eq.phase = WD_QM_PHASE;
	qm->aeq.phase = WD_QM_PHASE;
	return 0;
}

static int map_bars(struct wd_qm *qm)
{
	struct pci_dev *pdev = qm->pdev;
	u64 len = qm->is_vf ? QM_VF_BAR_LEN : QM_PF_BAR_LEN;

	if (pci_resource_len(pdev, QM_BAR) < len) {
		pci_err(pdev, "registers are missing\n");
		return -ENODEV;
	}
	qm->io_phys = pci_resource_start(pdev, QM_BAR);
	qm->io = ioremap(qm->io_phys, len);
	return qm->io ? 0 : -ENOMEM;
}

static u32 version_of(struct pci_dev *pdev)
{
	switch (pdev->revision) {
	case QM_REVISION_V1:
		return WD_QM_V1;
	case QM_REVISION_V2:
		return WD_QM_V2;
	default:
		return WD_QM_V3;
	}
}

/* A process rings by itself where it has a page for that, beside others where it has its own. */
static u32 dma_flags_of(struct wd_qm *qm)
{
	u32 flags = SDMDEV_DMA_STATIC | SDMDEV_DMA_MEDIATED;

	if (wd_qm_has_doorbell_page(qm))
		flags |= SDMDEV_DMA_SINGLE | SDMDEV_DMA_PHY;
	if (qm->db_phys)
		flags |= SDMDEV_DMA_MULTI | SDMDEV_DMA_SVM | SDMDEV_DMA_SVM_NO_FAULT;
	return flags;
}

static const char *const apis[] = {
	[WD_QM_V1] = HISI_QM_API_V1,
	[WD_QM_V2] = HISI_QM_API_V2,
	[WD_QM_V3] = HISI_QM_API_V3,
};

static struct wd_qm *qm_alloc(struct pci_dev *pdev, const struct wd_qm_engine *engine, bool is_vf)
{
	struct wd_qm *qm = kzalloc(sizeof(*qm), GFP_KERNEL);

	if (!qm)
		return NULL;
	qm->pdev = pdev;
	qm->engine = engine;
	qm->is_vf = is_vf;
	qm->version = version_of(pdev);
	INIT_LIST_HEAD(&qm->link);
	INIT_LIST_HEAD(&qm->quarantine);
	mutex_init(&qm->lock);
	mutex_init(&qm->mbox_lock);
	mutex_init(&qm->events_lock);
	mutex_init(&qm->qp_lock);
	INIT_WORK(&qm->err_work, wd_qm_err_work);
	wd_qm_isolate_init(qm);
	qm->report = &wd_qm_report;
	qm->ops = wd_qm_queue_ops;
	qm->ops.reset = wd_qm_reset_op;
	qm->sdmdev.name = engine->name;
	qm->sdmdev.api_ver = apis[qm->version];
	qm->sdmdev.dev = &pdev->dev;
	qm->sdmdev.ops = &qm->ops;
	qm->sdmdev.owner = engine->owner;
	qm->sdmdev.is_vf = is_vf;
	qm->sdmdev.priv = qm;
	return qm;
}

int wd_qm_probe(struct pci_dev *pdev, const struct wd_qm_engine *engine, bool is_vf, u32 queue_nr)
{
	struct wd_qm *qm;
	int ret;

	if (WARN_ON(engine->refusal_nr > WD_QM_REFUSALS))
		return -EINVAL;
	qm = qm_alloc(pdev, engine, is_vf);
	if (!qm)
		return -ENOMEM;
	pci_set_drvdata(pdev, qm);

	ret = pci_enable_device_mem(pdev);
	if (ret)
		goto free_qm;
	ret = pci_request_mem_regions(pdev, engine->name);
	if (ret)
		goto disable_device;
	ret = map_bars(qm);
	if (ret)
		goto release_regions;
	if (qm->version >= WD_QM_V3 && (wd_qm_read(qm, QM_ISOLATION) & QM_ISOLATION_ON))
		qm->db_phys = pci_resource_start(pdev, QM_DB_BAR);
	qm->sdmdev.dma_flag = dma_flags_of(qm);
	ret = dma_set_mask_and_coherent(&pdev->dev,
					vfio_sdmdev_dma_mask(&pdev->dev, DMA_BIT_MASK(64)));
	if (ret)
		goto unmap_bars;
	ret = read_caps(qm);
	if (ret)
		goto unmap_bars;
	ret = wd_qm_tree_fresh(qm);
	if (ret)
		goto unmap_bars;
	ret = count_queues(qm, queue_nr);
	if (ret)
		goto unmap_bars;

	ret = -ENOMEM;
	qm->used = bitmap_zalloc(qm->qp_nr, GFP_KERNEL);
	if (!qm->used)
		goto unmap_bars;
	qm->qps = kcalloc(qm->qp_nr, sizeof(*qm->qps), GFP_KERNEL);
	if (!qm->qps)
		goto free_used;
	qm->ctx_copy = kmalloc(WD_QM_CTX_AREA, GFP_KERNEL);
	if (!qm->ctx_copy)
		goto free_qps;
	ret = mem_alloc(qm, &qm->ctx, WD_QM_CTX_AREA);
	if (ret)
		goto free_ctx_copy;
	ret = mem_alloc(qm, &qm->park, PAGE_SIZE);
	if (ret)
		goto free_ctx;
	ret = rings_alloc(qm);
	if (ret)
		goto free_park;

	pci_set_master(pdev);
	ret = wd_qm_irq_init(qm);
	if (ret)
		goto clear_master;
	ret = wd_qm_tree_enter(qm);
	if (ret)
		goto stop_hw;
	/* What an error handler restores where nobody saved later. */
	pci_save_state(pdev);

	wd_qm_debugfs_add(qm);
	vfio_sdmdev_load_bus();
	ret = wd_qm_tree_join(qm);
	if (ret)
		goto del_debugfs;
	pci_info(pdev, "%s, %u queues, %s\n", qm->sdmdev.api_ver, qm->qp_nr, qm->sdmdev.algs);
	return 0;

del_debugfs:
	wd_qm_debugfs_del(qm);
	wd_qm_tree_leave(qm);
stop_hw:
	WRITE_ONCE(qm->is_removing, true);
	cancel_work_sync(&qm->err_work);
	mutex_lock(&qm->lock);
	qm->state = WD_QM_DOWN;
	wd_qm_stop(qm);
	mutex_unlock(&qm->lock);
	wd_qm_irq_fini(qm);
	cancel_work_sync(&qm->err_work);
clear_master:
	pci_clear_master(pdev);
	wd_qm_hw_release(qm);
	mem_free(qm, &qm->rings);
free_park:
	mem_free(qm, &qm->park);
free_ctx:
	mem_free(qm, &qm->ctx);
free_ctx_copy:
	kfree(qm->ctx_copy);
free_qps:
	kfree(qm->qps);
free_used:
	bitmap_free(qm->used);
unmap_bars:
	iounmap(qm->io);
release_regions:
	pci_release_mem_regions(pdev);
disable_device:
	pci_disable_device(pdev);
free_qm:
	kfree(qm);
	return ret;
}
EXPORT_SYMBOL_GPL(wd_qm_probe);

void wd_qm_remove(struct pci_dev *pdev)
{
	struct wd_qm *qm = pci_get_drvdata(pdev);

	if (qm->vf_nr) {
		pci_disable_sriov(pdev);
		mutex_lock(&qm->lock);
		qm->vf_nr = 0;
		mutex_unlock(&qm->lock);
	}
	if (wd_qm_is_gone(qm))
		wd_qm_tree_gone(qm);
	wd_qm_tree_leave(qm);
	vfio_sdmdev_unregister(&qm->sdmdev);
	wd_qm_debugfs_del(qm);
	WRITE_ONCE(qm->is_removing, true);
	cancel_work_sync(&qm->err_work);

	mutex_lock(&qm->lock);
	if (!wd_qm_is_gone(qm)) {
		qm->state = WD_QM_DOWN;
		wd_qm_stop(qm);
	}
	mutex_unlock(&qm->lock);
	wd_qm_irq_fini(qm);
	/* Of an interrupt that saw is_removing too early. */
	cancel_work_sync(&qm->err_work);
	/* Nothing that the device sends reaches memory from here on. */
	pci_clear_master(pdev);
	wd_qm_hw_release(qm);
	mutex_lock(&qm->lock);
	wd_qm_queues_safe(qm);
	mutex_unlock(&qm->lock);
	mem_free(qm, &qm->rings);
	mem_free(qm, &qm->park);
	mem_free(qm, &qm->ctx);
	kfree(qm->ctx_copy);
	kfree(qm->qps);
	bitmap_free(qm->used);
	wd_qm_isolate_fini(qm);
	iounmap(qm->io);
	pci_release_mem_regions(pdev);
	pci_disable_device(pdev);
	kfree(qm);
}
EXPORT_SYMBOL_GPL(wd_qm_remove);

/*
 * Before another kernel takes over: nothing may be written into its memory. Processes live on, and
 * so do interrupts and works: what they ask for from here on is refused.
 */
void wd_qm_shutdown(struct pci_dev *pdev)
{
	struct wd_qm *qm = pci_get_drvdata(pdev);

	WRITE_ONCE(qm->is_removing, true);
	wd_qm_tree_shut(qm);
	cancel_work_sync(&qm->err_work);
}
EXPORT_SYMBOL_GPL(wd_qm_shutdown);

static int __init wd_qm_init(void)
{
	wd_qm_debugfs_init();
	return 0;
}

static void __exit wd_qm_exit(void)
{
	wd_qm_debugfs_fini();
}

module_init(wd_qm_init);
module_exit(wd_qm_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("HiSilicon queue manager for sdmdev");

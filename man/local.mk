# SPDX-License-Identifier: Zlib
dist_man_MANS += man/libz-wd.7
dist_man_MANS += man/sdmdev.4 man/wd.7 man/wd_queue.3 man/wd_zip.3 man/zwd.1
dist_man_MANS += man/zwd-stat.1 man/zwd-top.1 man/zwd-tune.1
dist_man_MANS += man/wd-gzip.1
dist_man_MANS += man/zwd-env.1 man/zwd-run.1 man/zwd-scan.1
dist_man_MANS += man/zwd-probes.7
dist_man_MANS += man/zwd-doctor.1
dist_man_MANS += man/zwd-cdi.1
dist_man_MANS += man/libz-wd-recipes.7 man/zwd_stats.3

# A page for each public function that shares one with others: tests/manual/names.sh knows when one is missing.
wd_queue_pages = man/wd_alloc.3 man/wd_call.3 man/wd_emu_stats.3 man/wd_flush.3 man/wd_free.3 man/wd_generation.3 \
	man/wd_list_devices.3 man/wd_mem_share.3 man/wd_mem_unshare.3 man/wd_prepare.3 man/wd_queue_fd.3 \
	man/wd_queue_in_flight.3 man/wd_queue_info.3 man/wd_queue_state.3 man/wd_recv.3 man/wd_recv_sync.3 \
	man/wd_release_queue.3 man/wd_request_queue.3 man/wd_send.3
wd_zip_pages = man/wd_zip_ctx_is_body_over.3 man/wd_zip_ctx_set_sum.3 man/wd_zip_ctx_used.3
zwd_stats_pages = man/zwd_version.3
other_pages = $(wd_queue_pages) $(wd_zip_pages) $(zwd_stats_pages)
nodist_man_MANS += $(other_pages)
CLEANFILES += $(other_pages)
$(wd_queue_pages): page = wd_queue
$(wd_zip_pages): page = wd_zip
$(zwd_stats_pages): page = zwd_stats
$(other_pages):
	$(AM_V_GEN)$(MKDIR_P) man && echo '.so man3/$(page).3' >$@
dist_man_MANS += man/zwd-replay.1 man/zwd-selftest.1 man/zwd-trace.5

# SPDX-License-Identifier: Zlib
dist_man_MANS += man/libz-wd.7
dist_man_MANS += man/sdmdev.4 man/wd.7 man/wd_queue.3 man/wd_zip.3 man/zwd.1
dist_man_MANS += man/zwd-stat.1
dist_man_MANS += man/wd-gzip.1
dist_man_MANS += man/zwd-env.1 man/zwd-run.1 man/zwd-scan.1
dist_man_MANS += man/zwd-probes.7
dist_man_MANS += man/zwd-doctor.1
dist_man_MANS += man/zwd-cdi.1

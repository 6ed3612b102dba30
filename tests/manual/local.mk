# SPDX-License-Identifier: Zlib
# What the manual says is so: pages, names, prototypes, examples and recipes.
TESTS += tests/manual/names.sh tests/manual/pages.sh
EXTRA_DIST += tests/manual/names.sh tests/manual/pages.sh tests/manual/examples.sh tests/manual/recipes.sh \
	tests/manual/parts.awk
manual_env = MANUALS='$(dist_man_MANS)' OTHER_PAGES='$(nodist_man_MANS)' MANUAL_CC='$(CC)'
AM_TESTS_ENVIRONMENT += $(manual_env); export MANUALS OTHER_PAGES MANUAL_CC; # not as settings begin: each test would be warned
if BARE
TESTS += tests/manual/examples.sh tests/manual/recipes.sh
endif

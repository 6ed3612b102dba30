# SPDX-License-Identifier: Zlib
# What the manual says is so: pages, names, prototypes, examples and recipes.
TESTS += tests/manual/names.sh tests/manual/pages.sh
EXTRA_DIST += tests/manual/names.sh tests/manual/pages.sh tests/manual/examples.sh tests/manual/recipes.sh \
	tests/manual/parts.awk
manual_env = WD_MANUALS='$(dist_man_MANS)' WD_OTHER_PAGES='$(nodist_man_MANS)' WD_CC='$(CC)'
AM_TESTS_ENVIRONMENT += $(manual_env); export WD_MANUALS WD_OTHER_PAGES WD_CC;
if BARE
TESTS += tests/manual/examples.sh tests/manual/recipes.sh
endif

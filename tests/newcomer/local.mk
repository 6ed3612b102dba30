# SPDX-License-Identifier: Zlib
# The first minutes with this tree, and what is installed from it.
TESTS += tests/newcomer/refused.sh
EXTRA_DIST += tests/newcomer/refused.sh tests/newcomer/quickstart.sh tests/newcomer/installed.sh \
	tests/newcomer/installcheck.sh tests/steps
if BARE
TESTS += tests/newcomer/quickstart.sh tests/newcomer/installcheck.sh
endif

# What was installed from here, with DESTDIR as it was then; none of the build folder's files is used.
installcheck-local:
	DESTDIR='$(DESTDIR)' bindir='$(bindir)' libdir='$(libdir)' includedir='$(includedir)' mandir='$(mandir)' \
		pkgconfigdir='$(pkgconfigdir)' pkglibexecdir='$(pkglibexecdir)' CC='$(CC)' CFLAGS='$(CFLAGS)' \
		manuals='$(notdir $(dist_man_MANS) $(nodist_man_MANS))' sanitizers='$(SAN_CFLAGS)' version='$(PACKAGE_VERSION)' \
		sh $(srcdir)/tests/newcomer/installed.sh

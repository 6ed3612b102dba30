# SPDX-License-Identifier: Zlib
# make check-packaging: packages of distributions, in systems that are made for it; not part of check. It takes what
# tests/install packaging installs, and downloads into a folder that is kept.
EXTRA_DIST += debian/changelog debian/control debian/copyright debian/libwdq-dev.install debian/libwdq0.install \
	debian/libwdq0.symbols debian/libz-wd-dev.install debian/libz-wd-dkms.dkms debian/libz-wd-dkms.docs \
	debian/libz-wd-dkms.postinst debian/libz-wd-doc.docs debian/libz-wd-doc.install debian/libz-wd-system.install \
	debian/libz-wd-system.lintian-overrides debian/libz-wd-system.shlibs debian/libz-wd-system.triggers \
	debian/libz-wd-tools.install debian/libz-wd1.README.Debian debian/libz-wd1.install debian/libz-wd1.symbols \
	debian/not-installed debian/rules debian/source/format debian/source/lintian-overrides \
	debian/tests/control debian/tests/installed \
	debian/tests/quickstart
EXTRA_DIST += rpm/libz-wd.spec
EXTRA_DIST += tests/packaging/chroot.sh tests/packaging/debian.sh tests/packaging/dist.sh tests/packaging/rpm.sh \
	tests/packaging/rpmlintrc tests/packaging/symbols.sh tests/packaging/use.sh
TESTS += tests/packaging/symbols.sh
PACKAGING_SUITES = bookworm trixie
check-packaging: dist
	sh $(srcdir)/tests/packaging/dist.sh
	sh $(srcdir)/tests/packaging/rpm.sh $(distdir).tar.xz
	sh $(srcdir)/tests/packaging/debian.sh $(distdir).tar.xz $(PACKAGING_SUITES)
.PHONY: check-packaging

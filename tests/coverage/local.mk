# SPDX-License-Identifier: Zlib
# make coverage: which lines of the libraries no test reaches, in a build of its own; tests/install coverage before.
coverage:
	sh $(srcdir)/tests/coverage/run '$(PYTHON)' $(abs_top_builddir)/coverage
.PHONY: coverage
EXTRA_DIST += tests/coverage/excused tests/coverage/report.py tests/coverage/run

clean-local-coverage:
	rm -rf coverage
clean-local: clean-local-coverage

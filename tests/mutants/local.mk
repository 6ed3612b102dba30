# SPDX-License-Identifier: Zlib
# Are the tests good for anything? Faults are put into a copy of the sources, in tests/mutants of the build
# folder, one at a time, and a test has to fail. Not part of check: hours.
#	make mutants-planted [PLANTED='D1 P5']		faults that were there once
#	make mutants [MUTANTS='--file libwd/mem.c']	faults made by rule
TESTS += tests/mutants/places.sh
EXTRA_DIST += tests/mutants/places.sh tests/mutants/equivalent tests/mutants/mutants.py tests/mutants/planted \
	tests/mutants/covered.py tests/mutants/rules.py tests/mutants/scratch.py
mutants_run = $(PYTHON) $(srcdir)/tests/mutants/mutants.py --source '$(abs_top_srcdir)' \
	--folder '$(abs_top_builddir)/tests/mutants'

.PHONY: mutants mutants-planted print-tests clean-local-mutants
mutants:
	$(mutants_run) made $(MUTANTS)
mutants-planted:
	$(mutants_run) planted $(PLANTED)

print-tests:
	@echo $(TESTS)

clean-local-mutants:
	cd tests/mutants 2>/dev/null && rm -rf tree bld covered covered.json results.json report || :
clean-local: clean-local-mutants

#!/usr/bin/env python3
# SPDX-License-Identifier: Zlib
"""
Puts faults into a copy of the sources, one at a time, and tells which test finds it.

	mutants.py --source DIR --folder DIR planted [NAME...]	those of the file planted
	mutants.py --source DIR --folder DIR made [OPTION...]	those made by rules.py
	mutants.py --source DIR --folder DIR places		runs nothing: is the place of each planted one still there?
"""
import argparse
import collections
import json
import os
import sys

import covered
import rules
import scratch

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 120
FUZZ_LIMIT_S = 300


# Planted: a fault that was there once, as nearly as today's code can have it.

class Planted:
    def __init__(self, name, what, line):
        self.name, self.what, self.line = name, what, line
        self.file = None
        self.hunks = []  # of lists: the lines that are searched, those in their place
        self.tests = []

    def text(self, before):
        """The source with the fault. Ends the run when the place is not there any more."""
        for old, new in self.hunks:
            if before.count(old) != 1:
                raise SystemExit(f'planted:{self.line}: {self.name}: found {before.count(old)} times in '
                                 f'{self.file}, not once:\n{old}')
            before = before.replace(old, new)
        return before


def read_planted(path):
    """
    NAME WHAT, then lines: "in FILE", "by TEST" (in the order in which they are tried), and hunks as in
    a unified diff, but without figures: what has neither + nor - before it begins a new one.
    """
    table, is_hunk = [], False
    for number, line in enumerate(scratch.read(path).splitlines(), 1):
        word, _, rest = line.partition(' ')
        if line[:1] in ('+', '-', ' ', '\t'):
            if not is_hunk:
                table[-1].hunks.append(['', ''])
            is_hunk = True
            for i, sign in enumerate('-+'):
                if line[0] == sign:
                    table[-1].hunks[-1][i] += line[1:] + '\n'
                elif line[0] == ' ':
                    table[-1].hunks[-1][i] += line[1:] + '\n'
            continue
        is_hunk = False
        if not line or line[0] == '#' or line == '@@':
            continue
        if word == 'in':
            table[-1].file = rest
        elif word == 'by':
            table[-1].tests.append(rest)
        else:
            table.append(Planted(word, rest, number))
    return table


def find_catcher(build, tests):
    """The first test that fails, how, and the seconds of all."""
    sum_s = 0
    for test in tests:
        status, seconds = build.run(test, FUZZ_LIMIT_S if 'fuzz' in test else LIMIT_S)
        sum_s += seconds
        if status is None:
            return test, 'hangs', sum_s
        if status not in (0, scratch.SKIPPED):
            return test, 'fails', sum_s
    return None, 'NOT FOUND', sum_s


def run_planted(build, names):
    table = [p for p in read_planted(os.path.join(HERE, 'planted')) if not names or p.name in names]
    build.prepare()
    # Before anything takes time: is all of it still there?
    texts = {p: p.text(scratch.read(os.path.join(build.tree, p.file))) for p in table}
    missed, catchers = 0, set()
    for p in table:
        if not build.change(p.file, texts[p]) or not build.link():
            raise SystemExit(f'planted:{p.line}: {p.name} does not compile, or changes nothing')
        test, how, seconds = find_catcher(build, p.tests)
        build.restore()
        missed += test is None
        catchers.add(test)
        print(f'{p.name:4} {seconds:6.1f} s  {how:9}  {test or "-":55}  {p.what}', flush=True)
    # They pass without a fault.
    build.link()
    for test in sorted(catchers - {None}):
        if find_catcher(build, [test])[0]:
            print(f'{test} fails without a fault, too')
            missed += 1
    return 1 if missed else 0


# Made by rule.

def sources(build):
    """What is mutated: file and lines."""
    found = {}
    for top in ('libwd', 'libz-wd'):
        for base, _, files in os.walk(os.path.join(build.tree, top)):
            for name in files:
                path = os.path.join(base, name)
                file = os.path.relpath(path, build.tree)
                if name.endswith('.c') and '/tools/zwd/' not in file:
                    found[file] = scratch.read(path)
    return dict(sorted(found.items()))


def shares(files, count):
    """So many mutants of each file, by their lines; count of all."""
    lines = {file: text.count('\n') for file, text in files.items()}
    nr = {file: max(1, count * lines[file] // sum(lines.values())) for file in files}
    for file in sorted(files, key=lambda file: -lines[file]):
        if sum(nr.values()) < count:
            nr[file] += 1
    return nr


class Results:
    """What is known of each mutant, and of tests: for the next run."""

    def __init__(self, folder):
        self.path = os.path.join(folder, 'results.json')
        self.known = json.loads(scratch.read(self.path)) if os.path.exists(self.path) else {}

    def note(self, key, **what):
        self.known[key] = what
        scratch.write(self.path, json.dumps(self.known, indent=1))


class Order:
    """Which tests come first: quick ones, and those that found something before."""

    def __init__(self, tests, code, files):
        self.tests, self.code, self.files = tests, code, files
        self.found = collections.Counter()

    def begin_of(self, file, line):
        """The line that the counters have for this one; None: it is data."""
        lines, code = self.files[file].split('\n'), self.code.get(file, ())
        while line not in code and line > 1 and lines[line - 2].strip()[-1:] not in ('', ';', '{', '}', ':', '/'):
            line -= 1
        return line if line in code else None

    def tests_of(self, mutant):
        line = self.begin_of(mutant.file, mutant.line)
        tests = [test for test, what in self.tests.items() if mutant.file in what['lines'] and
                 (line is None or line in what['lines'][mutant.file])]
        return sorted(tests, key=lambda test: (self.tests[test]['seconds'] + .3) / (self.found[test] + 1))


def judge(build, mutant, order, budget_s):
    """Killed, timed out, survived or uncovered; the test and the seconds. The code is in place."""
    tests, sum_s = order.tests_of(mutant), 0
    if not build.link():
        return {'verdict': 'killed', 'test': 'link', 'seconds': 0}
    for nr, test in enumerate(tests):
        usual = order.tests[test]['seconds']
        if budget_s and sum_s + usual > budget_s:
            return {'verdict': 'survived', 'test': f'{nr} of {len(tests)}', 'seconds': round(sum_s, 1)}
        status, seconds = build.run(test, 3 * usual + 10)
        sum_s += seconds
        if status not in (0, scratch.SKIPPED):
            order.found[test] += 1
            return {'verdict': 'killed' if status is not None else 'timed out', 'test': test,
                    'seconds': round(sum_s, 1)}
    return {'verdict': 'survived' if tests else 'uncovered', 'test': f'{len(tests)} of {len(tests)}',
            'seconds': round(sum_s, 1)}


def choose(build, results, file, text, nr):
    """The first nr mutants of the file that compile, to other code than the source."""
    for mutant in rules.mutants_of(file, text):
        if not nr:
            return
        key = mutant.key()
        if key not in results.known or results.known[key]['verdict'] == 'chosen':
            differs = build.change(file, mutant.text(text))
            results.note(key, verdict='chosen' if differs else 'same code' if differs is False else 'no code')
        if results.known[key]['verdict'] not in ('same code', 'no code'):
            nr -= 1
            yield mutant


def read_equivalent():
    """Key of a mutant: why nothing can tell it from the source."""
    found, key = {}, None
    for line in scratch.read(os.path.join(HERE, 'equivalent')).splitlines():
        if line.startswith('\t'):
            found[key] = line.strip()
        elif line and line[0] != '#':
            key = line
    return found


def report(table, results, folder):
    """Per file, and what survived."""
    equivalent = read_equivalent()
    sums, survivors = {}, []
    for mutant in table:
        what = results.known.get(mutant.key(), {'verdict': 'chosen'})
        verdict = what['verdict']
        if verdict in ('survived', 'uncovered') and mutant.key() in equivalent:
            verdict = 'equivalent'
        elif verdict in ('survived', 'uncovered'):
            survivors.append(f"{mutant.file}:{mutant.line}: {verdict}, {what['test']} tests: "
                             f'{mutant.kind}\n\t{mutant.before.strip()}\n\t{mutant.after.strip()}\n')
        for name in (mutant.file, 'all'):
            sums.setdefault(name, collections.Counter())[verdict] += 1
    kinds = ['killed', 'timed out', 'survived', 'uncovered', 'equivalent', 'chosen']
    lines = [f'{"":40}' + ''.join(f'{kind:>11}' for kind in kinds)]
    lines += [f'{file:40}' + ''.join(f'{sum_of[kind]:11}' for kind in kinds) for file, sum_of in
              sorted(sums.items(), key=lambda item: (item[0] == 'all', item[0]))]
    text = '\n'.join(lines + [''] + survivors) + '\n'
    scratch.write(os.path.join(folder, 'report'), text)
    print(text)


def run_made(build, args):
    build.prepare()
    tests, code = covered.read(args.source, args.folder, build, args.limit, args.tests)
    results, files = Results(args.folder), sources(build)
    order = Order(tests, code, files)
    nr, table = shares(files, args.count), []
    for file, text in files.items():
        if args.file and file not in args.file:
            continue
        for mutant in choose(build, results, file, text, args.of_file or nr[file]):
            number, key = len(table) + 1, mutant.key()
            table.append(mutant)
            if args.only and number not in args.only:
                continue
            before = results.known[key]['verdict']
            if before != 'chosen' and not (args.survivors and before in ('survived', 'uncovered')):
                continue
            if key in read_equivalent():
                results.note(key, verdict='survived', test='no', seconds=0)
                continue
            build.change(file, mutant.text(text))
            what = judge(build, mutant, order, args.budget)
            results.note(key, **what)
            print(f"{number:4} {what['seconds']:6.1f} s  {what['verdict']:9}  {what['test']:45}  "
                  f'{file}:{mutant.line}: {mutant.kind}', flush=True)
        build.restore()
    report(table, results, args.folder)
    return 0


def numbers(text):
    first, _, last = text.partition('-')
    return range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--source', required=True)
    parser.add_argument('--folder', required=True)
    commands = parser.add_subparsers(dest='command', required=True)
    commands.add_parser('places')
    planted = commands.add_parser('planted')
    planted.add_argument('name', nargs='*')
    made = commands.add_parser('made')
    made.add_argument('--count', type=int, default=300, help='mutants in the table')
    made.add_argument('--file', action='append', help='those of this file; may be repeated')
    made.add_argument('--of-file', type=int, help='so many of each file, not by its lines')
    made.add_argument('--only', type=numbers, metavar='N[-M]', help='these of the table')
    made.add_argument('--survivors', action='store_true', help='those that survived before, too')
    made.add_argument('--tests', default='.', help='a regular expression: those tests only')
    made.add_argument('--limit', type=float, default=120, help='seconds of a test that is of use: 120')
    made.add_argument('--budget', type=float, help='seconds of tests for each, the quickest first; all')
    args = parser.parse_args()
    if args.command == 'places':
        for planted in read_planted(os.path.join(HERE, 'planted')):
            planted.text(scratch.read(os.path.join(args.source, planted.file)))
        return 0
    build = scratch.Scratch(args.source, args.folder)
    return run_planted(build, args.name) if args.command == 'planted' else run_made(build, args)


if __name__ == '__main__':
    sys.exit(main())

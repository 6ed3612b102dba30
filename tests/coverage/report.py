# SPDX-License-Identifier: Zlib
"""Prints what of the libraries was executed: report.py SOURCES COVERAGE.json

COVERAGE.json is gcovr's. tests/coverage/excused has lines that no test can reach, each with the reason:
FILE FUNCTION "LINE'S TEXT" REASON; or * in place of the text, for all of a function.
Fails where fewer than LEAST percent of the lines were reached, or where an excuse is for a line that is not there.
"""
import collections
import json
import os
import shlex
import sys

LEAST = 95.0


def read_excuses(path):
    excuses = {}
    with open(path) as table:
        for nr, line in enumerate(table, 1):
            if line.startswith("#") or not line.strip():
                continue
            words = shlex.split(line)
            if len(words) < 4:
                sys.exit(f"{path}:{nr}: no reason")
            excuses[tuple(words[:3])] = " ".join(words[3:])
    return excuses


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


class Count:
    def __init__(self):
        self.lines = self.reached = self.branches = self.taken = 0

    def add(self, other):
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self, name):
        return (f"{name:38}{self.reached:6} of{self.lines:6} {percent(self.reached, self.lines):6.1f} %"
                f"{self.taken:8} of{self.branches:6} {percent(self.taken, self.branches):6.1f} %")


def look_at(file, source, excuses, known):
    """What was counted, the lines not reached, and those of them that are excused. known: excuses with a line."""
    count, missed, excused = Count(), [], []
    starts = sorted((f["lineno"], f["name"]) for f in file["functions"])
    for line in file["lines"]:
        if line["gcovr/noncode"] or line["gcovr/excluded"]:
            continue
        nr = line["line_number"]
        count.lines += 1
        count.branches += len(line["branches"])
        count.taken += sum(1 for branch in line["branches"] if branch["count"])
        text = source[nr - 1].strip()
        function = [name for start, name in starts if start <= nr][-1:] or ["-"]
        keys = [k for k in ((file["file"], function[0], text), (file["file"], function[0], "*")) if k in excuses]
        known.update(keys)
        if line["count"]:
            count.reached += 1
            continue
        (excused if keys else missed).append(f"{file['file']}:{nr}: {function[0]}: {text}")
    return count, missed, excused


def main():
    top, path = sys.argv[1:]
    with open(path) as data:
        files = json.load(data)["files"]
    table = os.path.join(top, "tests/coverage/excused")
    excuses, known = read_excuses(table), set()
    folders, total, missed, excused = collections.defaultdict(Count), Count(), [], []
    print(f"{'':38}{'lines reached':>25}{'branches taken':>25}")
    for file in sorted(files, key=lambda f: f["file"]):
        if file["file"].startswith("libz-wd/tools/"):
            continue
        with open(os.path.join(top, file["file"])) as text:
            count, not_reached, forgiven = look_at(file, text.read().splitlines(), excuses, known)
        missed += not_reached
        excused += forgiven
        print(count.row(file["file"]))
        folders[os.path.dirname(file["file"])].add(count)
        total.add(count)
    print()
    for name, count in sorted(folders.items()):
        print(count.row(name + "/"))
    print(total.row("all"))
    print(f"\n{len(excused)} lines are excused, {len(missed)} are neither reached nor excused:")
    print("\n".join(missed))
    stale = [" ".join(key) for key in excuses if key not in known]
    for key in stale:
        print(f"excused, and not there: {key}")
    if percent(total.reached, total.lines) < LEAST:
        sys.exit(f"coverage: fewer than {LEAST:.0f} % of the lines were reached")
    if stale:
        sys.exit(f"coverage: {table} has lines that are not there")


main()

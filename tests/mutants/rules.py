# SPDX-License-Identifier: Zlib
"""Faults made by rule from the lines of a C source: one change in one line each."""
import random
import re

# Operators between two blanks, as the house style has them.
OPERATORS = {'==': '!=', '!=': '==', '<': '<=', '<=': '<', '>': '>=', '>=': '>', '&&': '||', '||': '&&',
             '+': '-', '-': '+', '&': '|', '|': '&', '<<': '>>', '>>': '<<', '+=': '-=', '-=': '+=',
             '|=': '&=', '&=': '|='}
OPERATOR = re.compile(r'(?<=\s)(' + '|'.join(map(re.escape, sorted(OPERATORS, key=len, reverse=True))) +
                      r')(?=\s)')
NUMBER = re.compile(r'(?<![\w.])(\d+)(?=[uUlL]*(?![\w.]))')
CONDITION = re.compile(r'\b(?:if|while) (\(.*\))(?= \{$|$|;$)')
RETURN = re.compile(r'^\t+return (.+);$')
CALL = re.compile(r'^(\t+)((?:\(void\))?[a-z_][\w.>-]*\(.*\);)$')
STORE = re.compile(r'^(\t+)([\w.>\[\]*()&-]+ (?:[-+|&^]|<<|>>)?= .*;|[\w.>\[\]-]+(?:\+\+|--);)$')
ARGUMENTS = re.compile(r'(?<=[(,])( ?)([\w.>&\[\]-]+), ([\w.>&\[\]-]+)(?=[,)])')
# Left alone: what only tells, checks or declares.
ALONE = re.compile(r'^\s*(?:#|_Static_assert|assert\(|zwd_log\(|wd_log\(|case\b|default:|static const|enum |'
                   r'struct \w+ \{|typedef|extern)|zwd_count\(|__attribute__|fprintf\(|__asm__|PTHREAD_\w+_INITIALIZER|'
                   r'#define|unlikely\(|likely\(')


def blank(text):
    """The same with nothing but blanks in comments, strings and preprocessor lines."""
    def cover(match):
        return re.sub(r'[^\n]', ' ', match.group())

    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', cover, text, flags=re.S)
    text = re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', cover, text, flags=re.M)
    return re.sub(r'\basm\w*\(.*?\);', cover, text, flags=re.S)


def is_balanced(text):
    depth = 0
    for char in text:
        depth += (char == '(') - (char == ')')
        if depth < 0:
            return False
    return not depth


class Mutant:
    def __init__(self, file, line, kind, before, after):
        self.file, self.line, self.kind, self.before, self.after = file, line, kind, before, after

    def key(self):
        """Where it is and what it does, whatever lines are above it."""
        return f'{self.file}: {self.kind}: {self.before.strip()} => {self.after.strip()}'

    def text(self, source):
        lines = source.split('\n')
        assert lines[self.line - 1] == self.before
        lines[self.line - 1] = self.after
        return '\n'.join(lines)


def changes(line, code):
    """Of one line: kind, begin, end, and what comes between them. code is the line, blanked."""
    for m in OPERATOR.finditer(code):
        yield 'operator', m.start(), m.end(), OPERATORS[m.group()]
    for m in NUMBER.finditer(code):
        number = int(m.group())
        if not code.lstrip().startswith('return ' + m.group() + ';'):
            yield 'constant', m.start(), m.end(), '0' if number == 1 else str(number + 1)
    for m in CONDITION.finditer(code):
        if is_balanced(m.group(1)):
            yield 'condition', m.start(1), m.end(1), '(!' + line[m.start(1):m.end(1)] + ')'
    for m in ARGUMENTS.finditer(code):
        one, other = m.group(2), m.group(3)
        if one != other and not one.isdigit() and not other.isdigit():
            yield 'arguments', m.start(2), m.end(3), f'{other}, {one}'
    m = RETURN.match(code)
    if m:
        value = m.group(1).strip()
        yield 'return', m.start(1), m.end(1), '1' if value == '0' else '0'
    m = CALL.match(code)
    if m and not m.group(2).startswith(('return', 'if', 'while', 'for', 'switch')):
        yield 'call', m.start(2), m.end(2), ';'
    m = STORE.match(code)
    if m:
        yield 'store', m.start(2), m.end(2), ';'


def mutants_of(file, source):
    """In an order of chance that is always the same."""
    made, depth = [], 0
    for number, (line, code) in enumerate(zip(source.split('\n'), blank(source).split('\n')), 1):
        # In functions only.
        if depth and not ALONE.search(code):
            for kind, begin, end, after in changes(line, code):
                made.append(Mutant(file, number, kind, line, line[:begin] + after + line[end:]))
        depth += code.count('{') - code.count('}')
    random.Random(file).shuffle(made)
    return made

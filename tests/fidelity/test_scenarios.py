"""tests/scenarios.md: its rows are shown by tests that say so themselves."""
import os
import re

import pytest

from conftest import ROOT

TESTS = os.path.join(ROOT, 'tests')
NOT_YET = 'not yet'
EXPECTED = 'user/expected.txt'
PLACES = r'(host|\(?T\)?( \(?B\)?)?)'


def read(path):
    with open(os.path.join(TESTS, path), encoding='utf-8') as text:
        return text.read()


def rows_of(text):
    """{id: [what, expected, shown by, on, remarks]}"""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if re.fullmatch(r'[A-NP]\d+', cells[0]):
            assert cells[0] not in rows, f'{cells[0]} is there twice'
            assert len(cells) == 6, cells[0]
            rows[cells[0]] = cells[1:]
    return rows


def ids_in(text):
    """Those that a test names: C1, and with "C9 to C12" each of them."""
    found = set()
    for group, first, last in re.findall(
            r'\b([A-NP])(\d{1,2})\b(?:\s*(?:[*#;]\s*)?to\s+(?:[*#;]\s*)?'
            r'\1(\d{1,2})\b)?', text):
        found.update(f'{group}{number}' for number in
                     range(int(first), int(last or first) + 1))
    return found


def shown_by(cell):
    """[(file, [what to look for in it])]"""
    return [(path, re.findall('`([^`]+)`', names)) for path, names in
            re.findall(r'`([^`;]+/[^`;]+)`(?:: ([^;]+))?', cell)]


def holds(path, text, name):
    """The name as a word; in expected.txt as a program with its words."""
    if path == EXPECTED:
        program, _, words = name.partition(' ')
        return re.search(fr'^{program} .*\s{words}(\s|$)', text, re.M)
    return re.search(fr'(?<![\w.]){re.escape(name)}(?!\w)', text)


def names_row(path, text, row, names):
    """In expected.txt at the line of each program."""
    if path != EXPECTED:
        return row in ids_in(text)
    return all(row in ids_in(line.partition('#')[2])
               for line in text.splitlines() for name in names
               if holds(path, line, name) and not line.startswith('32/'))


ROWS = rows_of(read('scenarios.md'))


def test_each_group_is_whole():
    for group in 'ABCDEFGHIJKLMNP':
        numbers = [int(row[1:]) for row in ROWS if row[0] == group]
        assert numbers == list(range(1, len(numbers) + 1)), group


@pytest.mark.parametrize('row', ROWS)
def test_row(row):
    what, expected, tests, places, _ = ROWS[row]
    assert what and expected
    if tests == NOT_YET:
        assert places == ''
        return
    assert re.fullmatch(PLACES, places), places
    assert shown_by(tests)
    for path, names in shown_by(tests):
        text = read(path)
        for name in names:
            assert holds(path, text, name), f'no {name} in {path}'
        assert names_row(path, text, row, names), f'{path} does not say {row}'


def test_what_is_caught():
    assert ids_in('(C9 to C12), G4; * H1\n * to H3') == {
        'C9', 'C10', 'C11', 'C12', 'G4', 'H1', 'H2', 'H3'}
    assert ids_in('XC1, C123 and C1x') == set()
    assert shown_by('`user/a.c`: `one`, `two`; `kernel/b.c`') == [
        ('user/a.c', ['one', 'two']), ('kernel/b.c', [])]
    assert holds('user/a.c', 'static void two(void)', 'two')
    assert not holds('user/a.c', 'static void two_more(void)', 'two')
    assert holds(EXPECTED, 'crash  both  C0000005  stack  # H12',
                 'crash stack')
    assert not holds(EXPECTED, 'crash  both  C0000005  stack_kernel',
                     'crash stack')
    with pytest.raises(AssertionError):
        rows_of('| C1 | a | b | c | T | |\n| C1 | a | b | c | T | |')

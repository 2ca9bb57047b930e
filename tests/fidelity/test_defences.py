"""kernel/defences.tab: its rows are used, their names lead somewhere."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, os.path.join(ROOT, 'scripts'))

import defences                                             # noqa: E402

SCRIPT = os.path.join(ROOT, 'scripts/defences.py')
FOLDERS = ('arch', 'kernel', 'boot')
USE = re.compile(r'(?:\bBUG_|\b(?:UNLESS_)?BUG\(|\bDEFENCE +|\bINSTEAD +|'
                 r'\bcall unless,)([a-z][a-z0-9_]*)')
# ist.asm joins the vector's name and this.
JOINED = re.compile(r'BUG_%\{1\}(\w+)')


def sources():
    yield pathlib.Path(ROOT, 'Makefile').read_text(encoding='utf-8')
    for folder in FOLDERS:
        for path in pathlib.Path(ROOT, folder).rglob('*'):
            if path.suffix in ('.c', '.h', '.asm', '.inc'):
                yield path.read_text(encoding='utf-8')


def rows():
    return defences.read_table(defences.TABLE)


def test_each_is_in_the_kernel():
    used, endings = set(), set()
    for text in sources():
        used.update(USE.findall(text))
        endings.update(JOINED.findall(text))
    names = {row.name for row in rows()}
    assert len(names) >= 20
    assert not [name for name in names - used
                if not any(name.endswith(end) for end in endings)]


def test_each_is_noticed_by_somebody():
    assert not [row.name for row in rows() if not row.probes]


def test_scenarios_exist():
    page = pathlib.Path(ROOT, 'tests/scenarios.md').read_text()
    known = set(re.findall(r'^\| ([A-P]\d+) \|', page, re.M))
    assert not [(row.name, one) for row in rows() for one in row.scenarios
                if one not in known]


def test_page():
    """scripts/defences.py --page docs/defences.md writes it anew."""
    page = pathlib.Path(ROOT, 'docs/defences.md').read_text(encoding='utf-8')
    table = page.rpartition('|---|---|---|---|\n')[2]
    assert table.splitlines() == defences.page_rows(rows())


def make(folder, table, *bug):
    done = subprocess.run([sys.executable, '-B', SCRIPT, table,
                           folder / 'bug.h', folder / 'bug.inc', *bug],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def times(folder):
    return [(folder / name).stat().st_mtime_ns
            for name in ('bug.h', 'bug.inc')]


def test_what_is_made(tmp_path):
    table = tmp_path / 'defences.tab'
    table.write_text('# a\none | the first | A1 | -\ntwo | #DB | A2, A3 | b\n')
    assert make(tmp_path, table) == (0, '')
    header = (tmp_path / 'bug.h').read_text()
    assert '#define BUG_one 0\n#define BUG_two 0\n' in header
    assert 'BUG_NAME' not in header
    before = times(tmp_path)
    assert make(tmp_path, table) == (0, '')
    assert times(tmp_path) == before
    assert make(tmp_path, table, 'two') == (0, '')
    header = (tmp_path / 'bug.h').read_text()
    assert '#define BUG_one 0\n#define BUG_two 1\n' in header
    assert '#define BUG_NAME "two"\n#define BUG_MISSING "#DB"' in header
    assert '%define BUG_two 1\n' in (tmp_path / 'bug.inc').read_text()


@pytest.mark.parametrize('text, bug, complaint', [
    ('one | a | A1 | -\n', 'two', 'no BUG two; there are: one'),
    ('one | a | A1\n', '', ':1: not "name | missing'),
    ('One | a | A1 | -\n', '', 'One is not a name'),
    ('one | a | A1 | -\none | b | A1 | -\n', '', 'one is there twice'),
])
def test_complaints(tmp_path, text, bug, complaint):
    table = tmp_path / 'defences.tab'
    table.write_text(text)
    status, answer = make(tmp_path, table, *[bug] * bool(bug))
    assert status != 0
    assert complaint in answer and answer.count('\n') == 1

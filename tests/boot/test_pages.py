"""Programs that README.md and docs/ tell how to build: their listings, built
and booted by their commands, to the letter."""
import os
import re
import subprocess

import pytest

from conftest import BUILD, ROOT

PAGES = ('README.md', 'docs/exceptions.md', 'docs/exceptions32.md')
LISTING = re.compile(r'`([a-z0-9]+\.[a-z]+)`:\n\n```[a-z]+\n(.*?)```', re.S)
BOOT = re.compile(r'scripts/boot --add (\S+\.exe) \1$')

# What each listing's program writes and returns, as the pages say.
ENDS = {
    'hello.c': (0, ['hello from ring 3, PEB', 'NtClose(1234h) = c0000008']),
    'guarded.c': (7, ['caught c0000094']),
    'guarded32.c': (7, ['caught c0000094']),
    'throws.cc': (7, ['frame 3 is left', 'frame 2 is left', 'frame 1 is left',
                      'caught 42']),
}


def cases():
    """Yields each block of commands that ends by booting what it builds."""
    for page in PAGES:
        with open(os.path.join(ROOT, page), encoding='utf-8') as file:
            text = file.read()
        listings = dict(LISTING.findall(text))
        for block in text.replace('\\\n', '').split('\n\n'):
            lines = [line.strip() for line in block.split('\n')]
            if not block.startswith('    ') or not BOOT.match(lines[-1]):
                continue
            source = next(name for name in listings if name in block)
            yield pytest.param(source, listings[source], lines,
                               id=f'{page} {lines[0].split()[0]}')


def test_every_listing_is_built():
    built = [case.values[0] for case in cases()]
    assert sorted(built) == ['guarded.c', 'guarded32.c', 'hello.c', 'hello.c',
                             'throws.cc', 'throws.cc']


@pytest.mark.parametrize('source, text, lines', cases())
def test_program(run, tmp_path, source, text, lines):
    (tmp_path / source).write_text(text)
    (tmp_path / 'build').symlink_to(os.path.abspath(BUILD))
    (tmp_path / 'tests').symlink_to(os.path.join(ROOT, 'tests'))
    for line in lines[:-1]:
        subprocess.run(line, shell=True, cwd=tmp_path, check=True)
    program = BOOT.match(lines[-1])[1]
    result = run(program, build=BUILD, add=[str(tmp_path / program)])
    status, words = ENDS[source]
    assert (result.status, result.value) == (status, status)
    at = 0
    for word in words:
        at = result.console.index(word, at) + len(word)

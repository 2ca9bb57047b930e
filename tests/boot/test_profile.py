"""The profile: what is counted, twice, and how it is drawn.

The program closes a handle that is none, 100 times in one function and 200
times in another, and tells how many instructions either took by the machine's
own clock, which counts them, too.
"""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import BUILD, ROOT

MINGW = {'counted': ('x86_64-w64-mingw32-gcc', 'start'),
         'counted32': ('i686-w64-mingw32-gcc', '_start@4')}
COUNTED = r'''
#include <windows.h>
#include <winternl.h>

ULONG DbgPrint(const char *format, ...);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN, LARGE_INTEGER *);

static __attribute__((noinline)) void hundred(int n)
{
    while (n-- > 0)
        NtClose((HANDLE)0x1234);
}

static __attribute__((noinline)) void two_hundred(int n)
{
    while (n-- > 0)
        NtClose((HANDLE)0x1238);
}

static __attribute__((noinline)) ULONG measure(void (*routine)(int), int n)
{
    ULONG begin = (ULONG)__builtin_ia32_rdtsc();

    routine(n);
    return (ULONG)__builtin_ia32_rdtsc() - begin;
}

/* Right behind a tick no other comes so soon. */
int __stdcall start(void *peb)
{
    LARGE_INTEGER soon = { .QuadPart = -1 };
    ULONG few, many;

    NtClose(peb);
    NtDelayExecution(FALSE, &soon);
    few = measure(hundred, 100);
    many = measure(two_hundred, 200);
    DbgPrint("ticks %u %u\n", few, many);
    return 7;
}
'''
SVG = '{http://www.w3.org/2000/svg}'
# The driver needs no more of a build than this.
NEEDED = ('BOOTX64.EFI', 'boot', 'debug', 'flavour', 'gen', 'images',
          'ntdll.dll', 'ntdll32.dll',
          'ntoskrnl.elf', 'ntoskrnl.map', 'ntoskrnl.sym', 'programs')
OTHER_VERSION = '''
int qemu_plugin_version = 99;
int qemu_plugin_install(void) { return 0; }
'''


def profile(*words):
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, 'scripts/profile'), '--no-build',
         '--build', BUILD, *words], stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


class Box:
    def __init__(self, element):
        self.name, self.room = (element.get(word) for word in
                                ('data-name', 'class'))
        self.depth, self.count = (int(element.get(f'data-{word}')) for word in
                                  ('depth', 'count'))
        self.x, self.width = (float(element.get(f'data-{word}')) for word in
                              ('x', 'width'))
        self.title = element.find(f'{SVG}title').text
        rect = element.find(f'{SVG}rect')
        self.rect = float(rect.get('x')), float(rect.get('width'))

    def holds(self, other):
        return other.depth > self.depth and \
            self.x - 0.001 <= other.x and \
            other.x + other.width <= self.x + self.width + 0.001

    def calls(self):
        return int(re.search(r'([\d,]+) calls', self.title)[1]
                   .replace(',', ''))


def boxes(out, name='index.svg'):
    root = xml.parse(os.path.join(out, name)).getroot()
    return [Box(element) for element in root.iter(f'{SVG}g')]


def only(found, name, inside=None):
    answer = [box for box in found if box.name == name
              and (inside is None or inside.holds(box))]
    assert len(answer) == 1, (name, [box.title for box in answer])
    return answer[0]


def three_runs(folder):
    """[(status, output, complaints, folder)]: 64-bit, again, 32-bit.

    The last has no icount, with which a machine takes thrice the time to start.
    """
    (folder / 'counted.c').write_text(COUNTED)
    for name, (compiler, entry) in MINGW.items():
        subprocess.run(
            [compiler, '-O1', '-nostdlib', '-e', entry, '-o',
             folder / f'{name}.exe', folder / 'counted.c', '-lntdll'],
            check=True)

    def one(number, name, *words):
        out, program = folder / str(number), f'{name}.exe'
        return *profile('--out', out, '--no-framebuffer', *words, '--add',
                        folder / program, program), out

    with ThreadPoolExecutor(2) as pool:
        return [run.result() for run in (
            pool.submit(one, 0, 'counted'), pool.submit(one, 1, 'counted'),
            pool.submit(one, 2, 'counted32', '--no-icount'))]


def read(run, name):
    return (run[3] / name).read_text(encoding='utf-8')


def table(run):
    """{service: [calls, ...]} of what was printed."""
    status, text, complaints, _ = run
    assert (status, complaints) == (0, ''), complaints
    return {line.split()[0]: line.split()[1:] for line in text.splitlines()
            if line.startswith('Nt')}


def check_calls(run, name):
    """Every one is there; one more by start, none by ntdll."""
    services, found = table(run), boxes(run[3])
    few, many = (only(found, f'{name}!{function}')
                 for function in ('hundred', 'two_hundred'))
    assert only(found, 'service NtClose', few).calls() == 100
    assert only(found, 'service NtClose', many).calls() == 200
    assert services['NtClose'][0] == '301'
    assert services['NtDelayExecution'][0] == '1'


def check_clock(run):
    """The machine's clock has counted the same."""
    ticks = re.search(r'ticks (\d+) (\d+)', read(run, 'console.txt'))
    found = boxes(run[3])
    few, many = (only(found, f'counted!{name}').count
                 for name in ('hundred', 'two_hundred'))
    assert many - few == int(ticks[2]) - int(ticks[1])


def check_rooms(run):
    """Each has something, and all of them together everything."""
    _, text, _, out = run
    rows = dict(re.findall(r'^(room \d|ring 3|exceptions|interrupts|system|'
                           r'no symbol|all) +(\d+)\b', text, re.M))
    total = int(rows.pop('all'))
    assert sum(map(int, rows.values())) == total
    assert all(int(rows[f'room {number}']) for number in (1, 2, 3, 4, 5, 7))
    assert int(rows['interrupts']) and int(rows['ring 3'])
    assert rows['no symbol'] == '0'
    tree = read(run, 'tree.txt')
    assert f'total {total}\n' in tree and 'ended 1\n' in tree
    # The same call by each: 300 of one routine, with the stub before it.
    close = only(boxes(out, 'rooms.svg'), 'service NtClose')
    under = [box.name for box in boxes(out, 'rooms.svg')
             if close.holds(box) and box.depth == close.depth + 1]
    assert under == ['room 1', 'room 2', 'room 3', 'room 4', 'room 5']


def check_folded(run):
    """As flamegraph.pl reads it; the same sum as in the tables."""
    lines = read(run, 'folded.txt').splitlines()
    counts = [int(re.fullmatch(r'[^;]+(?:;[^;]+)* (\d+)', line)[1])
              for line in lines]
    assert f'total {sum(counts)}\n' in read(run, 'tree.txt')
    assert any(re.match(r'ring 3;.*;counted!start;counted!measure;'
                        r'counted!hundred;room 1: ntdll!NtClose;'
                        r'service NtClose;room 4;NtClose ', line)
               for line in lines)


def check_picture(run, name):
    """Boxes stand on boxes, next to each other, as wide as their counts."""
    found = boxes(run[3], name)
    everything = only(found, 'all')
    assert everything.width == 1200 and everything.rect == (0, 1200)
    for box in found:
        assert abs(box.width - 1200 * box.count / everything.count) < 0.001
        assert abs(box.rect[0] - box.x) < 0.01
        assert abs(box.rect[1] - box.width) < 0.05
    for depth in range(1 + max(box.depth for box in found)):
        row = sorted((box for box in found if box.depth == depth),
                     key=lambda box: box.x)
        below = [box for box in found if box.depth == depth - 1]
        for left, right in zip(row, row[1:]):
            assert left.x + left.width <= right.x + 0.001
        for box in row if depth else []:
            assert sum(under.holds(box) for under in below) == 1, box.title
        for under in below:
            assert sum(box.count for box in row if under.holds(box)) <= \
                under.count
    text = read(run, name)
    assert 'prefers-color-scheme: dark' in text and 'href' not in text


def test_runs(tmp_path):
    """One test: the runs are what takes the time."""
    first, again, narrow = three_runs(tmp_path)
    check_calls(first, 'counted')
    check_calls(narrow, 'counted32')
    check_clock(first)
    check_rooms(first)
    check_folded(first)
    check_picture(first, 'index.svg')
    check_picture(first, 'rooms.svg')
    assert read(first, 'folded.txt') == read(again, 'folded.txt')
    assert first[1].splitlines()[:-2] == again[1].splitlines()[:-2]


@pytest.mark.parametrize('words, complaint', [
    (['--bogus'], '--bogus'),
    (['--timeout', '0'], '--timeout'),
    (['nothere'], 'nothere.exe'),
    (['--out', '/dev/null/x'], 'Not a directory'),
    (['--add', '/no/such.exe'], 'No such file'),
])
def test_usage(words, complaint):
    status, text, complaints = profile(*words)
    assert status == 127 and text == ''
    assert len(complaints.splitlines()) == 1 and complaint in complaints


@pytest.mark.parametrize('source, status, complaint', [
    (None, 127, 'profile.so is missing: make parts builds it'),
    (OTHER_VERSION, 126, 'QEMU 6.2 to 8.2 can load profile.so'),
])
def test_plugin(tmp_path, source, status, complaint):
    for name in NEEDED:
        os.symlink(os.path.join(BUILD, name), tmp_path / name)
    if source:
        (tmp_path / 'p.c').write_text(source)
        subprocess.run(['gcc', '-shared', '-fPIC', '-o',
                        tmp_path / 'profile.so', tmp_path / 'p.c'],
                       check=True)
    answer = profile('--build', tmp_path, '--out', tmp_path / 'out')
    assert answer[:2] == (status, '')
    assert len(answer[2].splitlines()) == 1 and complaint in answer[2]

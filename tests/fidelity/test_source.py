"""What the sources promise about themselves: layers, rooms, layouts."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import ROOT

LAYERS = """## Upward, and why

| file | includes | reason |
|---|---|---|
| `kernel/ob/one.c` | `ps.h` | a reason |

## Next
"""
LAYOUTS = """{"structs": {"_A": {"size": 16, "fields": {
    "One": [0, 4], "Two": [8, 8], "Bit": [4, 4, 0, 1], "Bits": [4, 4, 1, 31]
}}}, "other_sources": {}, "exceptions": {}}"""
LAYOUTS_32 = """{"structs": {
    "_A": {"size": 8, "fields": {"One": [0, 4], "Two": [4, 4]}},
    "_CONTEXT": {"size": 4, "fields": {"Eip": [0, 4]}},
    "_KUSER_SHARED_DATA": {"size": 2, "fields": {"Version": [0, 2]}}
}, "other_sources": {"_B": "a book"}, "sizes": {"_B": 12},
"exceptions": {}}"""


def script(name, *words):
    """Returns (exit status, what it said)."""
    done = subprocess.run([sys.executable, '-B',
                           os.path.join(ROOT, 'scripts', name), *words],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def write(root, path, text):
    path = root / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_width():
    """80 columns, so that two sources fit a screen or a page."""
    kinds = ('.c', '.h', '.asm', '.inc', '.cc', '.py')
    files = [path for folder in ('arch', 'boot', 'kernel', 'ntdll-stub',
                                 'programs', 'scripts', 'tests')
             for path in pathlib.Path(ROOT, folder).rglob('*')
             if path.suffix in kinds]
    assert len(files) > 100
    wide = [f'{path}:{number}' for path in [pathlib.Path(ROOT, 'Makefile'),
                                            *files]
            for number, line in enumerate(path.read_text().split('\n'), 1)
            if len(line) > 80]
    assert not wide


def test_layers():
    status, text = script('check_layers.py')
    assert status == 0, text


def test_rooms():
    status, text = script('check_rooms.py')
    assert status == 0, text


def test_docs():
    status, text = script('check_docs.py')
    assert status == 0, text


@pytest.mark.parametrize('text, complaint', [
    ('[a](docs/a.md#a-heading) `ke/a.c` `a.c` `KiThere` `./nt/`', None),
    ('[a](docs/b.md)', 'docs/b.md does not exist'),
    ('[a](docs/a.md#other)', 'has no heading #other'),
    ('`ke/b.c`', 'no file ke/b.c'),
    ('`b.c`', 'b.c is nowhere'),
    ('`KiGone`', 'KiGone is nowhere'),
])
def test_what_pages_may_name(tmp_path, text, complaint):
    write(tmp_path, 'kernel/ke/a.c', 'void KiThere(void);\n')
    write(tmp_path, 'docs/a.md', '# A heading\n')
    write(tmp_path, 'README.md', text + '\n')
    status, answer = script('check_docs.py', str(tmp_path))
    assert (status != 0) == (complaint is not None), answer
    assert complaint is None or complaint in answer


def services_of(tab):
    """{name: number} of a .tab."""
    rows = re.findall(r'^(?:nt|win32k)\s+0x(\w+)\s.*?\b(Nt\w+)', tab, re.M)
    return {name: int(number, 16) for number, name in rows}


def services_on(page):
    """{name: number} of a page's rows "| 048, 0B3 | 5 | NtA, NtB | ..."."""
    found = {}
    for numbers, names in re.findall(
            r'^\| ([0-9A-F, ]+) \|[^|]*\|([^|]*)\|', page, re.M):
        found.update(zip(re.findall(r'\bNt\w+', names),
                         (int(text, 16) for text in numbers.split(','))))
    return found


def test_options_have_rows():
    """README's table has the kernel's options, in their order."""
    options, readme = (pathlib.Path(ROOT, path).read_text(encoding='utf-8')
                       for path in ('kernel/init/options.c', 'README.md'))
    table = readme.partition('| key | default |')[2].partition('\n\n')[0]
    assert re.findall(r'^\| `(\w+)` \| `([^`]*)` \|', table, re.M) == \
        re.findall(r'^    \{ "(\w+)", "([^"]*)", \{', options, re.M)


def test_services_have_rows():
    tab, page = (pathlib.Path(ROOT, path).read_text(encoding='utf-8')
                 for path in ('kernel/ke/services.tab', 'docs/services.md'))
    assert services_on(page) == services_of(tab)
    without = re.sub(r'^.*\bNtSetEvent\b.*\n', '', page, flags=re.M)
    assert 'NtSetEvent' not in services_on(without)


@pytest.mark.parametrize('path, line', [
    ('kernel/rtl/a.c', '#include <ke.h>'),
    ('kernel/rtl/a.c', '#include <arch/cpu.h>'),
    ('kernel/mm/a.c', '#include <ob.h>'),
    ('kernel/mm/a.c', '#include "../ob/obp.h"'),
    ('kernel/ob/two.c', '#include <ps.h>'),
    ('kernel/io/a.c', '#include <mm/mi.h>'),
    ('kernel/kd/a.c', '#include <ke.h>'),
    ('kernel/ke/a.c', '#ifdef __x86_64__'),
    ('kernel/include/rtl_new.h', '#include <ke.h>'),
    ('kernel/include/nt/new.h', '#include <ke.h>'),
    ('arch/amd64/cpu/a.c', '  #  include <ob.h>'),
    ('ntdll-stub/src/a.c', '#include <rtl.h>'),
    ('programs/tour/a.c', '#include <ke.h>'),
    ('tests/user/a.c', '#include <mm.h>'),
])
def test_what_layers_forbid(tmp_path, path, line):
    write(tmp_path, 'docs/layers.md', LAYERS)
    write(tmp_path, 'kernel/ob/one.c', '#include <ps.h>\n')
    write(tmp_path, path, f'/* text */\n{line}\n')
    status, text = script('check_layers.py', str(tmp_path))
    assert status != 0 and text.startswith(f'{path}:2: '), text


def test_exceptions_are_needed(tmp_path):
    write(tmp_path, 'docs/layers.md', LAYERS)
    write(tmp_path, 'kernel/ob/one.c', '#include <ke.h>\n')
    status, text = script('check_layers.py', str(tmp_path))
    assert status != 0 and 'no longer needs ps.h' in text


def compile_checks(tmp_path, out):
    done = subprocess.run(
        ['gcc', '-include', 'stddef.h', '-fsyntax-only', f'-I{tmp_path}',
         str(out)], stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


def layouts(tmp_path, body):
    write(tmp_path, 'l.json', LAYOUTS)
    write(tmp_path, 'a.h', f'typedef struct _A {{ {body} }} A;\n')
    out = tmp_path / 'out.c'
    status, text = script('gen_asserts.py', str(tmp_path / 'l.json'),
                          str(out), f'{tmp_path}:a.h')
    return compile_checks(tmp_path, out) if status == 0 else (status, text)


@pytest.mark.parametrize('body, complaint', [
    ('int One; int Bit : 1, Bits : 31; long Two;', None),
    ('int One; unsigned char pad_4[4]; union { long Two; int pad_x; };', None),
    ('int One; int pad_4; int Two; int pad_c;', 'sizeof'),
    ('int One; int pad_4[3]; long Two;', 'offsetof'),
    ('int One; int pad_4; long Two; long pad_10;', 'sizeof'),
    ('int One; int pad_4; long Twoo;', '_A.Twoo is not a field'),
    ('int One; int Bits : 31, Bit : 1; long Two;', 'Bits is bit 0'),
    ('int One; int Bit; long Two;', 'Bit is a bit field'),
])
def test_layouts(tmp_path, body, complaint):
    status, text = layouts(tmp_path, body)
    assert (status == 0) == (complaint is None), text
    assert complaint is None or complaint in text


@pytest.mark.parametrize('head, body, complaint', [
    ('typedef struct _A32 {', 'int One; int Two;', None),
    ('typedef struct _WOW64_CONTEXT {', 'int Eip;', None),
    ('struct kuser_shared_data_xp {', 'short Version;', None),
    ('typedef struct _B32 {', 'int One, Two, Three;', None),
    ('typedef struct _B32 {', 'int One, Two;', 'sizeof'),
    ('typedef struct _A32 {', 'int pad_0; int Two; int pad_8;', 'sizeof'),
    ('typedef struct _A32 {', 'int Two; int pad_4;', 'offsetof'),
    ('typedef struct _A32 {', 'int Three; int pad_4;', '_A32.Three is not'),
    ('typedef struct _WOW64_CONTEXT {', 'int Rip;', 'Rip is not a field'),
    ('typedef struct _C {', 'int Eip;', '_C is not a structure'),
    ('typedef struct _CONTEXT {', 'int Eip;', '_CONTEXT is not a structure'),
])
def test_layouts_of_32_bit_code(tmp_path, head, body, complaint):
    write(tmp_path, 'l.json', LAYOUTS)
    write(tmp_path, 'l32.json', LAYOUTS_32)
    write(tmp_path, 'a.h', f'{head} {body} }};\n'.replace('typedef ', ''))
    out = tmp_path / 'out.c'
    status, text = script('gen_asserts.py', str(tmp_path / 'l.json'),
                          str(tmp_path / 'l32.json'), str(out),
                          f'{tmp_path}:a.h')
    if status == 0:
        status, text = compile_checks(tmp_path, out)
    assert (status == 0) == (complaint is None), text
    assert complaint is None or complaint in text


DOORS = """nt     0x0006 0x00b7 hhppIpupp NtReadFile
nt     0x000f 0x0019 h         NtClose
nt     0x0020 0x0021 uqs       NtWide
nt     0x0043 0x0020 pu        NtContinue thunk
nt     0x00f3 -      -         NtGetCurrentProcessorNumber
nt     0x01bd 0x00ff upupup    NtSystemDebugControl none
"""


def test_doors(tmp_path):
    write(tmp_path, 'a.tab', DOORS)
    status, text = script('doors.py', str(tmp_path / 'a.tab'))
    rows = [line.split() for line in text.splitlines()]
    assert status == 0, text
    assert rows[2:8] == [
        ['NtReadFile', '0x0006', '9', '0x00b7', '36', 'translated'],
        ['NtClose', '0x000f', '1', '0x0019', '4', 'same'],
        ['NtWide', '0x0020', '3', '0x0021', '16', 'same'],
        ['NtContinue', '0x0043', '2', '0x0020', '8', 'thunk'],
        ['NtGetCurrentProcessorNumber', '0x00f3', '0', '-', '-',
         'not', 'in', 'XP'],
        ['NtSystemDebugControl', '0x01bd', '6', '0x00ff', '24', 'none']]
    assert text.endswith(
        '\nNo 32-bit form, STATUS_NOT_SUPPORTED: NtSystemDebugControl\n'
        'Not in XP SP3: NtGetCurrentProcessorNumber\n')


def test_doors_of_this_kernel():
    path = os.path.join(ROOT, 'kernel/ke/services.tab')
    status, text = script('doors.py', path)
    assert status == 0, text
    with open(path, encoding='ascii') as lines:
        names = [line.split('#')[0].split()[4] for line in lines
                 if line.split('#')[0].strip()]
    assert [line.split()[0] for line in text.splitlines()[2:-3]] == names


def test_doors_without_a_list(tmp_path):
    status, text = script('doors.py', str(tmp_path / 'none.tab'))
    assert status == 1 and text.startswith('doors.py: ')
    write(tmp_path, 'a.tab', 'nt 0x1000 - - NtTooHigh\n')
    status, text = script('doors.py', str(tmp_path / 'a.tab'))
    assert status == 1 and 'a.tab:1: 0x1000 is outside nt' in text


@pytest.mark.parametrize('rows, expected', [
    ('Taken', 'Taken@8'), ('Cdecl', 'Cdecl'),
    ('Other = Taken', 'Other@8 = Taken@8'), ('Other = Cdecl', 'Other = Cdecl'),
    ('Missing', None), ('Taken = Missing', None)])
def test_decoration(tmp_path, rows, expected):
    """Names get the bytes that the objects know, or the build stops."""
    write(tmp_path, 'a.c', 'void __stdcall Taken(int a, int b) {}\n'
                           'void Cdecl(int a) {}\n')
    subprocess.run(['i686-w64-mingw32-gcc', '-w', '-c', 'a.c'], cwd=tmp_path,
                   check=True)
    write(tmp_path, 'in.def', f'LIBRARY "a.dll"\nEXPORTS\n    {rows}\n')
    status, text = script('decorate.py', 'i686-w64-mingw32-nm',
                          *(str(tmp_path / name)
                            for name in ('in.def', 'out.def', 'a.o')))
    if expected is None:
        assert status == 1 and text == 'decorate.py: nothing defines Missing\n'
    else:
        assert status == 0, text
        assert (tmp_path / 'out.def').read_text() == \
            f'LIBRARY "a.dll"\nEXPORTS\n    {expected}\n'

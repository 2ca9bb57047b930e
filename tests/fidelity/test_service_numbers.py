"""One rule, written twice: the kernel's numbering and that of the scripts.

The kernel rebuilds its tables by a numbering file and scripts/boot patches
ntdll.dll by the same file. Here both read the same texts, real and random.
"""
import ctypes
import os
import random
import subprocess

import pytest

from conftest import ROOT
from ntwalk import numbering

SERVICES = {'NtReadFile': 0x0006, 'NtWriteFile': 0x0008, 'NtClose': 0x000F,
            'NtUserGetDC': 0x100A, 'NtGdiFlush': 0x1012}
INCLUDES = ['kernel/include', 'arch/amd64/include', 'boot']


class Service(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('routine', ctypes.c_void_p),
                ('number', ctypes.c_uint16), ('args', ctypes.c_uint8),
                ('letters', ctypes.c_char_p)]


class Result(ctypes.Structure):
    _fields_ = [('error_line', ctypes.c_uint32), ('error', ctypes.c_char_p),
                ('used', ctypes.c_uint32), ('unknown', ctypes.c_uint32)]


@pytest.fixture(scope='module')
def kernel(tmp_path_factory):
    """The kernel's parser, as kernel(text) -> numbers or the line at fault."""
    path = str(tmp_path_factory.mktemp('numbering') / 'numbering.so')
    subprocess.run(['gcc', '-std=gnu11', '-O1', '-fshort-wchar', '-shared',
                    '-fPIC', *('-I' + os.path.join(ROOT, folder)
                               for folder in INCLUDES),
                    '-o', path, os.path.join(ROOT, 'kernel/ke/numbering.c')],
                   check=True)
    parse = ctypes.CDLL(path).ke_parse_numbering
    parse.restype = ctypes.c_uint8
    rows = (Service * len(SERVICES))(*(
        Service(name.encode(), None, number, 0, b'')
        for name, number in SERVICES.items()))

    def numbers_of(text):
        data = text.encode()
        numbers = (ctypes.c_uint16 * len(SERVICES))()
        result = Result()
        if parse(data, ctypes.c_uint64(len(data)), rows, len(SERVICES),
                 numbers, ctypes.byref(result)):
            return dict(zip(SERVICES, numbers))
        return result.error_line
    return numbers_of


def scripts(text):
    try:
        return numbering.complete(*numbering.parse(text, SERVICES), SERVICES)
    except numbering.Invalid as invalid:
        words = str(invalid).split()
        return int(words[1].rstrip(':')) if words[0] == 'line' else 0


@pytest.mark.parametrize('text', [
    '', '# nothing\r\n', 'NtClose 12', 'NtClose 0XFfe\nNtReadFile 1',
    'NtOther 0x20\nNtGdiFlush 0x1fff\nNtUserGetDC 0x1000',
    'NtClose 0xffe\n', 'NtUserGetDC 0x1fff\n', 'NtClose 1\nNtClose 2\n',
    'NtClose 1\n\nNtReadFile 1\n', 'NtClose 0x1000', 'NtGdiFlush 12',
    'NtOther 8192', 'NtClose', 'NtClose 0x', 'NtClose 1\r2', 'Nt\x00 1'])
def test_texts(kernel, text):
    assert kernel(text) == scripts(text)


def random_line(rng):
    name = rng.choice([*SERVICES, 'NtOther', 'NtAnother', '7', '', '_x'])
    number = rng.choice(['1', '2', '0x3', '0X1005', '4096', '0xfff', '8191',
                         '0x2000', '', '0x', '-1', '007', '99999999999'])
    return (rng.choice(['', '', ' ', '\t']) + name
            + rng.choice([' ', ' ', '\t', ' \t ', '', '='])
            + number + rng.choice(['', '', '', '\r', ' ', '# x', ' 1', '\r ']))


def test_random_texts(kernel):
    rng = random.Random(97)
    good = 0
    for _ in range(20000):
        lines = [random_line(rng) for _ in range(rng.randint(1, 4))]
        text = '\n'.join(lines)
        found = kernel(text)
        assert found == scripts(text), repr(text)
        good += isinstance(found, dict)
    assert good > 500

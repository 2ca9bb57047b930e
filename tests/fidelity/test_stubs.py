"""ntdll's service stubs byte for byte, and their numbers."""
import json
import os
import struct

import pytest

from conftest import BUILD, ROOT
from ntwalk import pe

FOLDER = os.path.dirname(os.path.abspath(__file__))


def facts(name):
    with open(os.path.join(FOLDER, name), encoding='ascii') as text:
        return json.load(text)


def services():
    """Returns [(table, number, argc, name)] of services.tab."""
    path = os.path.join(ROOT, 'kernel/ke/services.tab')
    rows = []
    with open(path, encoding='ascii') as lines:
        for line in lines:
            words = line.split('#')[0].split()
            if words:
                rows.append((words[0], int(words[1], 0), int(words[2]),
                             words[3]))
    return rows


SERVICES = services()


@pytest.fixture(scope='module')
def ntdll():
    with open(os.path.join(BUILD, 'ntdll.dll'), 'rb') as data:
        return pe.Image(data.read())


@pytest.fixture(scope='module')
def exports(ntdll):
    return dict(ntdll.exports())


def expected_stub(number):
    stub = facts('stubs.json')
    text = ' '.join(stub['template'])
    text = text.replace('{number}', struct.pack('<I', number).hex(' '))
    code = bytes.fromhex(text)
    assert len(code) == stub['size']
    return code + bytes.fromhex(stub['padding'])


@pytest.mark.parametrize('table, number, argc, name', SERVICES,
                         ids=[row[3] for row in SERVICES])
def test_service(ntdll, exports, table, number, argc, name):
    """The stub's 32 bytes, Windows' number, and Windows' arguments."""
    start = ntdll.offset_of(exports[name], name)
    assert ntdll.data[start:start + 32] == expected_stub(number)
    known_number, known_argc = facts('numbers.json')['win10-2004'][table][name]
    assert number == known_number
    if known_argc is not None:
        assert argc == known_argc


def test_zw_names_are_the_same_stubs(exports):
    for table, _, _, name in SERVICES:
        if table == 'nt':
            assert exports['Zw' + name[2:]] == exports[name]


def test_no_other_stubs(ntdll):
    """Nothing else looks like one (NtGetTickCount reads the shared page)."""
    found = {name for name, _, _ in pe.stubs(ntdll)}
    assert found == {name for _, _, _, name in SERVICES}


def test_stubs_stand_32_bytes_apart(exports):
    stride = facts('stubs.json')['stride']
    places = sorted(exports[name] for _, _, _, name in SERVICES)
    assert all(place % stride == places[0] % stride for place in places)
    assert places[-1] - places[0] == stride * (len(places) - 1)

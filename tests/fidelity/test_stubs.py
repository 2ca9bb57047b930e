"""Both ntdlls' service stubs byte for byte, and their numbers.

Scenarios: J5.
"""
import json
import os
import struct

import pytest

from conftest import BUILD, ROOT
from ntwalk import pe
from services import read_tabs

FOLDER = os.path.dirname(os.path.abspath(__file__))


def facts(name):
    with open(os.path.join(FOLDER, name), encoding='ascii') as text:
        return json.load(text)


STUBS = facts('stubs.json')
NUMBERS = facts('numbers.json')
SERVICES = read_tabs([os.path.join(ROOT, 'kernel/ke/services.tab')])
SERVICES32 = [row for row in SERVICES if row.xp is not None]


class Dll:
    """A built DLL: its image, and where its exports are."""

    def __init__(self, name):
        with open(os.path.join(BUILD, name), 'rb') as data:
            self.image = pe.Image(data.read())
        self.exports = dict(self.image.exports())

    def code(self, name, size):
        start = self.image.offset_of(self.exports[name], name)
        return self.image.data[start:start + size]


@pytest.fixture(scope='module')
def ntdll():
    return Dll('ntdll.dll')


@pytest.fixture(scope='module')
def ntdll32():
    return Dll('ntdll32.dll')


def assemble(template, **values):
    """Returns the bytes of a template's words."""
    words = {name: value.hex(' ') for name, value in values.items()}
    return bytes.fromhex(' '.join(template).format(**words))


def expected_stub(number):
    stub = STUBS['x64']
    code = assemble(stub['template'], number=struct.pack('<I', number))
    assert len(code) == stub['size']
    return code + bytes.fromhex(stub['padding'])


def expected_stub32(number, size):
    stub = STUBS['x86']
    template = stub['template'] if size else stub['no_arguments']['template']
    code = assemble(template, number=struct.pack('<I', number),
                    bytes=struct.pack('<H', size))
    assert len(code) == stub['size']
    return code


def named(services):
    return [pytest.param(row, id=row.name) for row in services]


@pytest.mark.parametrize('row', named(SERVICES))
def test_service(ntdll, row):
    """The stub's 32 bytes, Windows' number, and Windows' arguments."""
    assert ntdll.code(row.name, 32) == expected_stub(row.number)
    number, argc = NUMBERS['win10-2004'][row.table][row.name]
    assert row.number == number
    if argc is not None:
        assert row.argc == argc


@pytest.mark.parametrize('row', named(SERVICES32))
def test_service32(ntdll32, row):
    """The stub's 16 bytes, XP's number, and the bytes that XP takes."""
    assert ntdll32.code(row.name, 16) == expected_stub32(row.xp, row.bytes32)
    assert [row.xp, row.bytes32 // 4] == \
        NUMBERS['xp-sp3'][row.table][row.name]


def test_services_that_xp_lacks(ntdll32):
    names = {row.name for row in SERVICES} - {row.name for row in SERVICES32}
    assert names
    for name in names:
        assert name not in NUMBERS['xp-sp3']['nt']
        assert name not in ntdll32.exports


def test_zw_names_are_the_same_stubs(ntdll, ntdll32):
    for dll, services in (ntdll, SERVICES), (ntdll32, SERVICES32):
        for row in services:
            if row.table == 'nt':
                assert dll.exports['Zw' + row.name[2:]] == \
                    dll.exports[row.name]


def test_no_other_stubs(ntdll, ntdll32):
    """Nothing else looks like one (NtGetTickCount reads the shared page)."""
    found = {name for name, _, _ in pe.stubs(ntdll.image)}
    assert found == {row.name for row in SERVICES}
    call = bytes.fromhex(STUBS['x86']['template'][1])
    found = {name for name in ntdll32.exports
             if name.startswith('Nt') and ntdll32.code(name, 10)[5:] == call}
    assert found == {row.name for row in SERVICES32}


def test_stubs_stand_side_by_side(ntdll, ntdll32):
    for dll, services, form in ((ntdll, SERVICES, 'x64'),
                                (ntdll32, SERVICES32, 'x86')):
        stride = STUBS[form]['stride']
        places = sorted(dll.exports[row.name] for row in services)
        assert all(place % stride == places[0] % stride for place in places)
        assert places[-1] - places[0] == stride * (len(places) - 1)


@pytest.mark.parametrize('name', [name for name in STUBS['x86_routines']
                                  if name != 'about'])
def test_routine32(ntdll32, name):
    template = STUBS['x86_routines'][name]
    # A call's operand counts from the instruction behind it, a NOP here.
    size = len(assemble(template, NtContinue=bytes(4)))
    distance = (ntdll32.exports['NtContinue'] - ntdll32.exports[name]
                - (size - 1))
    expected = assemble(template, NtContinue=struct.pack('<i', distance))
    assert ntdll32.code(name, size) == expected


def test_where_fast_calls_return(ntdll32):
    assert ntdll32.exports['KiFastSystemCallRet'] == \
        ntdll32.exports['KiFastSystemCall'] + 4


def test_names_are_not_decorated(ntdll32):
    """As in Windows: NtClose, not NtClose@4 or _NtClose."""
    assert not [name for name in ntdll32.exports if '@' in name]


def test_both_export_the_same(ntdll, ntdll32):
    """But for what depends on the processor, and what XP lacks."""
    def own(folder):
        path = os.path.join(ROOT, 'ntdll-stub', folder, 'exports.txt')
        with open(path, encoding='ascii') as lines:
            words = [line.split('#')[0].split() for line in lines]
        return {row[0] for row in words if row}
    lacking = {prefix + row.name[2:] for row in SERVICES
               if row.xp is None for prefix in ('Nt', 'Zw')}
    assert set(ntdll32.exports) - own('i386') == \
        set(ntdll.exports) - own('amd64') - lacking

"""nt walk, and what it writes: against the code, the tables and itself.

test_walkpage.py is about the page that is made of it.
"""
import functools
import json
import os
import re
import subprocess

import pytest

import pathcheck
import walkcheck
from conftest import BUILD, ROOT
from debugger import Debugger
from ntwalk import symbols, walk, walkpage
from ntwalk.errors import Died, Usage

WALKS = {
    'syscall': {'door': 'syscall'},
    'int2e': {'door': 'int2e'},
    'sysenter': {'door': 'sysenter'},
    'apc': {'door': 'syscall', 'apc': True},
    'uefi': {'door': 'syscall', 'firmware': 'uefi'},
}
STRAIGHT = [1, 2, 3, 4, 5, 1]
ENTRIES = {'syscall': 'KiSystemCall64', 'int2e': 'KiSystemService',
           'sysenter': 'KiFastCallEntry'}
LINES_OF_TWO_SCREENS = 60
ROWS_OF_PATH = 120              # so many of docs/path.md's can be checked


@pytest.fixture(scope='module')
def walks(tmp_path_factory):
    """walks(name): (what is printed, walk.json) of one of WALKS, made once."""
    made = {}
    folder = tmp_path_factory.mktemp('walks')

    def get(name):
        if name not in made:
            path = str(folder / f'{name}.json')
            text = walk.follow(path, BUILD, 'NtClose', **WALKS[name])
            with open(path, encoding='utf-8') as file:
                made[name] = text, json.load(file)
        return made[name]
    return get


def rooms_of(data):
    return [room['room'] for room in data['rooms']]


def number(text):
    return int(text, 16)


@pytest.mark.parametrize('name', ['syscall', 'int2e', 'sysenter', 'uefi'])
def test_rooms(walks, name):
    text, data = walks(name)
    assert rooms_of(data) == STRAIGHT
    assert data['door'] == WALKS[name]['door']
    assert data['status_name'] == 'STATUS_INVALID_HANDLE'
    assert data['rooms'][1]['symbol'] == f'nt!{ENTRIES[data["door"]]}'
    assert len(text.splitlines()) <= LINES_OF_TWO_SCREENS
    for room in data['rooms']:
        assert room['file'] in text
    assert data['firmware'] == ('UEFI' if name == 'uefi' else 'BIOS')


def test_apc_on_the_way_back(walks):
    """Rooms 6 and 7, the routine, NtContinueEx's own walk, and home."""
    _, data = walks('apc')
    assert rooms_of(data) == [1, 2, 3, 4, 5, 6, 5, 7, 0, 7, 1, 2, 3, 4, 5, 1]
    symbols_met = [room['symbol'] for room in data['rooms']]
    assert symbols_met[7] == 'ntdll!KiUserApcDispatcher'
    assert symbols_met[8] == 'walk!routine'
    assert symbols_met[10] == 'ntdll!NtContinueEx'
    last, first = data['rooms'][-1], data['rooms'][0]
    assert data['status_name'] == 'STATUS_INVALID_HANDLE'
    for name in ('rbx', 'rbp', 'rsi', 'rdi', 'r12', 'r13', 'r14', 'r15'):
        assert last['after'][name] == first['before'][name]
    for index in (5, 6, 7):
        user = {slot['name'] for slot in
                data['rooms'][index]['stacks']['user']['slots']}
        assert {'CONTEXT.Rip', 'CONTEXT.Rax', 'MACHINE_FRAME.Rip',
                'XSTATE +138'} <= user


@pytest.mark.parametrize('name', ['syscall', 'int2e', 'sysenter'])
def test_trap_frame_is_the_caller(walks, name):
    """Every field that room 2 is to fill holds what room 1 had."""
    _, data = walks(name)
    before = data['rooms'][0]['before']
    slots = {slot['name']: slot for slot in
             data['rooms'][1]['stacks']['kernel']['slots']}

    def field(register):
        return number(slots[f'KTRAP_FRAME.{register}']['value'])

    for register in ('Rbx', 'Rsi', 'Rdi', 'Rbp'):
        written = slots[f'KTRAP_FRAME.{register}']
        assert written['writer'] == 1
        if name != 'sysenter' or register != 'Rbx':   # its stub uses rbx
            assert field(register) == number(before[register.lower()])
    assert field('EFlags') & 0x200
    assert slots['KTRAP_FRAME.Rip']['text'].startswith('ntdll!Nt')
    after = data['rooms'][1]['after']
    frame = number(data['rooms'][1]['stacks']['kernel']['slots'][-1][
        'address'])
    assert number(after['rbp']) == frame + 0x80
    assert after['rbx'] == data['thread']['address']
    assert set(data['rooms'][1]['roles']) >= {'rbx', 'rbp', 'rsp', 'rcx'}


@pytest.mark.parametrize('name', list(WALKS))
def test_every_change_has_its_writer(walks, name):
    """A slot that differs from the room before was written in this one."""
    _, data = walks(name)
    for which in ('user', 'kernel'):
        last = {}
        for room in data['rooms']:
            stack = room['stacks'][which]
            for slot in stack['slots'] if stack else ():
                known = last.get(slot['address'])
                if known is not None and known != slot['value']:
                    assert slot['writer'] == room['index'], (room, slot)
                last[slot['address']] = slot['value']


@pytest.mark.parametrize('name', list(WALKS))
def test_lines_add_up(walks, name):
    """What lines changed is what the room changed."""
    _, data = walks(name)
    for room in data['rooms']:
        state = dict(room['before'])
        for line in room['code']:
            assert line['changed']
            state |= line['changed']
        assert state == room['after'] or not room['code'], room['index']


def test_code_is_the_disassembly(walks):
    """Room 2's instructions are objdump's, in its order."""
    _, data = walks('syscall')
    done = subprocess.run(
        ['objdump', '-d', '-M', 'intel', '--no-show-raw-insn',
         f'--disassemble={ENTRIES["syscall"]}',
         os.path.join(BUILD, 'ntoskrnl.elf')],
        stdout=subprocess.PIPE, text=True, check=True)
    listed = [int(address, 16) for address in
              re.findall(r'^ *([0-9a-f]+):\t', done.stdout, re.M)]
    walked = [number(line['address']) for line in data['rooms'][1]['code']]
    assert walked[:len(listed)] == listed
    table = symbols.read(os.path.join(BUILD, 'ntoskrnl.elf'))
    assert walked[0] == table.address_of('KiSystemCall64')


def test_what_decided(walks):
    """The rows name what the tables and registers lead to."""
    _, data = walks('syscall')
    table = symbols.read(os.path.join(BUILD, 'ntoskrnl.elf'))
    rows = {row['name']: row for room in data['rooms'][:5]
            for row in room['decided']}
    assert number(rows['LSTAR (C0000082)']['value']) == \
        table.address_of('KiSystemCall64')
    entry = number(rows['entry F']['value'])
    base = number(rows['KeServiceDescriptorTable.Base']['value'])
    assert (base + ((entry ^ 1 << 31) - (1 << 31) >> 4)) & (1 << 64) - 1 == \
        table.address_of('NtClose')
    assert number(rows['FMASK (C0000084)']['value']) == 0x44700
    _, data = walks('int2e')
    assert any(row['name'] == 'IDT[2E]' for row in data['rooms'][1]['decided'])


def test_the_same_every_time(walks, tmp_path):
    """Another run of the same machine takes the same instructions."""
    _, first = walks('syscall')
    path = str(tmp_path / 'again.json')
    walk.follow(path, BUILD, 'NtClose', door='syscall')
    with open(path, encoding='utf-8') as file:
        second = json.load(file)
    assert [room['instructions'] for room in second['rooms']] == \
        [room['instructions'] for room in first['rooms']]


def test_stack_arguments_and_a_long_service(tmp_path):
    """NtWriteFile: nine arguments, five of them copied by room 3."""
    path = str(tmp_path / 'walk.json')
    walk.follow(path, BUILD, 'NtWriteFile',
                ['0x4', '0', '0', '0', 'buf:16', 'buf:32', '16', '0', '0'])
    with open(path, encoding='utf-8') as file:
        data = json.load(file)
    assert rooms_of(data) == STRAIGHT
    user = {slot['name']: slot['value'] for slot in
            data['rooms'][0]['stacks']['user']['slots']}
    for index in (5, 6, 7, 8, 9):
        assert user[f'argument {index}'] == \
            data['arguments'][index - 1]['value']


@pytest.mark.parametrize('name', ['syscall', 'uefi', 'apc'])
def test_pages(walks, browser, tmp_path, name):
    """Each room of the page shows what walk.json has."""
    walkpage.write(walks(name)[1], str(tmp_path))
    walkcheck.check_page(browser, str(tmp_path), paper=False)


def test_bios_and_uefi_walk_alike(walks):
    assert walkcheck.structure(walks('syscall')[1]) == \
        walkcheck.structure(walks('uefi')[1])


@functools.cache
def listing_of_32_bits(symbol):
    """Returns {offset: bytes} of a routine of the 32-bit ntdll."""
    done = subprocess.run(
        ['i686-w64-mingw32-objdump', '-d', f'--disassemble=_{symbol}',
         os.path.join(BUILD, 'debug/ntdll32.dll')],
        stdout=subprocess.PIPE, text=True, check=True)
    rows = re.findall(r'^([0-9a-f]+):\t((?:[0-9a-f]{2} )+)', done.stdout,
                      re.M)
    return {number(at) - number(rows[0][0]): found.split()
            for at, found in rows}


def test_path_page(walks, tmp_path):
    """docs/path.md tells of these walks; a change of it is found."""
    path = str(tmp_path / 'alert.json')
    walk.follow(path, BUILD, 'NtTestAlert', apc=True)
    with open(path, encoding='utf-8') as file:
        known = {'alert': json.load(file)}
    for name in ENTRIES:
        known[name] = walks(name)[1]
    with open(os.path.join(ROOT, 'docs/path.md'), encoding='utf-8') as file:
        text = file.read()
    wrong, checked = pathcheck.complaints(text, known, listing_of_32_bits)
    assert wrong == []
    assert checked > ROWS_OF_PATH
    for good, bad in (('+0c   41 ff d2', '+0c   41 ff d3'),
                      ('+02   0f 34 ', '+02   0f 35 '),
                      ('| rbp | frame + 80h', '| rbp | frame + 88h'),
                      ('| 150 | Rsi |', '| 158 | Rsi |'),
                      ('| 4F0 | KCONTINUE', '| 4F8 | KCONTINUE'),
                      ('`NtwCallSysenter+24`', '`NtwCallSysenter+25`'),
                      ('| rdx | A2A2A2A2A2A2A2A2 | 0', '| rdx | A2 | 0'),
                      ('## Two rings', 'ffffffff8010a000')):
        assert good in text
        wrong, _ = pathcheck.complaints(text.replace(good, bad), known,
                                        listing_of_32_bits)
        assert wrong, good


def test_32_bit_code():
    """XP's call, in gdb: its doors, its table, SYSEXIT."""
    with Debugger(BUILD, '--no-framebuffer', 'tour32') as debugger:
        text = debugger.ask('nt walk NtClose sysenter')
        assert [line.split()[0] for line in text.splitlines()[1:]
                if not line.startswith(' ')] == list('123451')
        for words in ('ntdll32!KiFastSystemCall', 'nt!KiFastCallEntry',
                      'nt!NtClose, 4 bytes of arguments', 'cs 8 -> 1b'):
            assert words in text
        assert debugger.ask('nt walk NtClose > /dev/null').endswith(
            'nt walk: a file shows 64-bit code only')
        assert 'nt walk NtClose' in debugger.ask('complete nt walk NtClos')
        assert debugger.ask('nt walk NtClose > /no/where') == \
            'nt walk: /no/where: no file can be written there'
        assert debugger.ask('nt walk NtClose back door') == \
            'nt walk: usage: nt walk CALL [DOOR] [apc] [> FILE]'
        assert debugger.ask('nt walk NtClose back').startswith(
            'nt walk: no door back')


def test_a_pointer_that_leads_nowhere(tmp_path):
    """A copy from it goes on where the kernel's fixups say."""
    path = str(tmp_path / 'walk.json')
    walk.follow(path, BUILD, 'NtDelayExecution', ['1', '0'])
    with open(path, encoding='utf-8') as file:
        data = json.load(file)
    assert rooms_of(data) == STRAIGHT
    assert data['status_name'] == 'STATUS_ACCESS_VIOLATION'


def test_what_cannot_be(tmp_path):
    path = str(tmp_path / 'walk.json')
    with pytest.raises(Usage, match='NtFoo is no service'):
        walk.follow(path, BUILD, 'NtFoo')
    with pytest.raises(Usage, match='NtClose takes 1 argument, not 2'):
        walk.follow(path, BUILD, 'NtClose', ['1', '2'])
    with pytest.raises(Died, match='^zz '):
        walk.follow(path, BUILD, 'NtClose', ['zz'])
    with pytest.raises(Died, match='^nt walk: the machine ended'):
        walk.follow(path, BUILD, 'NtTerminateProcess', ['-1', '0'])

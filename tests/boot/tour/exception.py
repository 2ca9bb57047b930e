"""Chapter 5: an exception's frame, offset by offset, and its two ends."""
import re

from .text import chapter, check_offsets, fields

FRAME = {'CONTEXT': 0, 'ContextFlags': 0x30, 'EFlags': 0x44, 'Rax': 0x78,
         'Rcx': 0x80, 'Rbx': 0x90, 'Rsp': 0x98, 'Rip': 0xF8, 'FltSave': 0x100,
         'CONTEXT_EX': 0x4D0, 'EXCEPTION_RECORD': 0x4F0,
         'ExceptionCode': 0x4F0, 'ExceptionFlags': 0x4F4,
         'ExceptionAddress': 0x500, 'NumberParameters': 0x508,
         'Information0': 0x510, 'Information1': 0x518, 'MACHINE_FRAME': 0x590,
         'rsp': 0x5A8}
PATTERN = {'rax': 'A0', 'rbx': 'A3', 'r12': 'AC', 'xmm6': 'A2'}


def check_frame(text):
    """Returns (rip, rsp) of the store."""
    rows = fields(text)
    rsp, lower = (int(word, 16) for word in re.search(
        r'rsp was +([0-9A-F]+) at the store, and is ([0-9A-F]+) lower',
        text).groups())
    base = rsp - lower
    assert base % 16 == 0
    check_offsets(rows, base, FRAME)
    if 'XSTATE' in rows:
        assert rows['XSTATE'][0] % 64 == 0
        assert rows['XSTATE'][0] < rsp
    page = re.search(r'page +0*([0-9A-F]+), PAGE_READONLY', text)[1]
    assert re.search(rf'Information0 +1: a write.*\n.*Information1 +{page},',
                     text)
    rip = int(re.search(r'^   store +([0-9A-F]+)  48 89 11', text, re.M)[1],
              16)
    for name in ('  Rip ', '  ExceptionAddress ', 'MACHINE_FRAME +rip'):
        assert re.search(name + rf' +{rip:X}\b', text), name
    assert f'to rip {rip:X}: the store' in text
    return rip, rsp, page


def check_kernel(text, symbol, page):
    door = 'KiPageFaultShadow' if 'KiPageFaultShadow' in text \
        else 'KiPageFault'
    assert f'leads to {symbol(door):X} {door}\n' in text
    rows = {name: (int(address, 16), int(offset, 16), value)
            for address, offset, name, value in re.findall(
                r'^   (FFFF\w+)  \+(\w+) +(\w+) +(\w+)', text, re.M)}
    assert rows['KTRAP_FRAME'][0] % 16 == 0
    for name, offset, value in (('FaultAddress', 0xD0, page),
                                ('ErrorCode', 0x160, '7')):
        assert rows[name] == (rows['KTRAP_FRAME'][0] + offset, offset, value)


def check_search(text, rip, rsp):
    """Two frames, each rip in its .pdata entry, the caller's further up."""
    steps = re.findall(r'^   (\w+) +(\w+)-(\w+) +(\w{16})  (\w+)$', text,
                       re.M)
    assert [step[4] for step in steps] == ['none', '__C_specific_handler']
    numbers = [[int(word, 16) for word in step[:4]] for step in steps]
    assert all(start <= at < end for at, start, end, _ in numbers)
    assert numbers[0][0] == rip and numbers[0][3] == rsp < numbers[1][3]
    return numbers[1]


def check_landing(text, caller):
    """In __except: the caller's stack and code, none of the patterns."""
    rows = dict((name, (before, after)) for name, before, after in re.findall(
        r'^   (\w+) +(\w{16}) -> (\w{16})  (?!as all)', text, re.M))
    assert caller[1] < int(rows['rip'][1], 16) < caller[2]
    assert int(rows['rsp'][1], 16) == caller[3]
    assert rows['rax'][1] == f'{0xC0000005:016X}'
    for name, byte in PATTERN.items():
        assert rows[name][0] == byte * 8 != rows[name][1], name


FRAME32 = {'ExceptionCode': 0x8, 'ExceptionFlags': 0xC,
           'ExceptionAddress': 0x14, 'NumberParameters': 0x18,
           'Information0': 0x1C, 'Information1': 0x20, 'SegFs': 0xB4,
           'Ebx': 0xC8, 'Ecx': 0xD0, 'Eax': 0xD4, 'Eip': 0xDC,
           'EFlags': 0xE4, 'Esp': 0xE8}


def check32(console):
    text = chapter(console, 'An exception, as in XP')
    esp, lower = (int(word, 16) for word in re.search(
        r'esp was ([0-9A-F]+) at the store, and is ([0-9A-F]+) lower',
        text).groups())
    base = esp - lower
    check_offsets(fields(text), base, FRAME32)
    for offset, name, points in ((0, r'EXCEPTION_RECORD \*', 8),
                                 (4, r'CONTEXT \*', 0x24)):
        assert re.search(rf'^   {base + offset:08X}  \+{offset:03X}  {name} +'
                         rf'{base + points:08X} ', text, re.M)
    assert re.search(rf'  Esp +{esp:08X} ', text)
    links = re.findall(r'^     (\w+)  next (\w+)  handler', text, re.M)
    assert len(links) == 3 and links[2][1] == 'FFFFFFFF'
    assert [link[0] for link in links[1:]] == [link[1] for link in links[:2]]
    calls = re.findall(r'^     (\d)\. (\w+) +flags (\d\d)', text, re.M)
    assert calls == [('1', 'inner', '00'), ('2', 'outer', '00'),
                     ('3', 'inner', '02'), ('1', 'inner', '00')]


def check(console, symbol):
    """symbol: the kernel's; None: debug=off."""
    text = chapter(console, 'An exception')
    rip, rsp, page = check_frame(text)
    if symbol:
        check_kernel(text, symbol, page)
    check_landing(text, check_search(text, rip, rsp))
    assert '[page]   A2A2A2A2A2A2A2A2' in text

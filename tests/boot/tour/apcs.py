"""Chapter 4: user APCs' frames, and the instructions that look for them."""
import re

from .text import chapter, check_offsets, fields

FRAME = {'CONTEXT': 0, 'P4Home': 0x18, 'ContextFlags': 0x30, 'EFlags': 0x44,
         'Rax': 0x78, 'Rcx': 0x80, 'Rbx': 0x90, 'Rsp': 0x98, 'Rip': 0xF8,
         'FltSave': 0x100, 'CONTEXT_EX': 0x4D0, 'KCONTINUE_ARGUMENT': 0x4F0,
         'MACHINE_FRAME': 0x510, 'rsp': 0x528}


def check_frame(text):
    rows = fields(text)
    rsp, lower = re.search(r'rsp was +([0-9A-F]+) in NtTestAlert, '
                           r'and is ([0-9A-F]+) lower', text).groups()
    base = int(rsp, 16) - int(lower, 16)
    assert base % 16 == 0
    check_offsets(rows, base, FRAME)
    if 'XSTATE' in rows:
        assert rows['XSTATE'][0] % 64 == 0
        assert rows['XSTATE'][0] < int(rsp, 16)
    assert f'r9 {base:X}, rsp {base - 8:X}' in text


def check_room_5(text, symbol):
    """Three instructions, one after the other, in KiSystemServiceExit."""
    code = re.findall(r'^     ([0-9A-F]{16})  ((?:[0-9A-F]{2} )+) +(\w.*)$',
                      text, re.M)
    assert [words.split()[0] for _, _, words in code] == ['cli', 'test', 'jnz']
    at = symbol('KiSystemServiceExit')
    assert 0 < int(code[0][0], 16) - at < symbol('user_apc') - at
    for (first, data, _), (second, _, _) in zip(code, code[1:]):
        assert int(first, 16) + len(data.split()) == int(second, 16)
    assert code[1][1].startswith('41 F6 83 C2 00 00 00 03')
    assert code[2][2] == 'jnz  user_apc'


def check(console, symbol):
    """symbol: the kernel's; None: debug=off."""
    text = chapter(console, 'The way back')
    check_frame(text)
    assert 'wait returns       000000C0 STATUS_USER_APC' in text
    frames = dict(re.findall(r'^   (first|second|outer|inner) +\d +(\w+) ',
                             text, re.M))
    assert frames['first'] == frames['second'] == frames['outer']
    assert int(frames['inner'], 16) < int(frames['outer'], 16) - 0x538
    if symbol:
        check_room_5(text, symbol)
        assert 'State 5, Waiting' in text
        assert 'State 1, Ready; UserApcPendingAll 02' in text


def check32(console):
    text = chapter(console, 'The way back')
    base = int(re.search(r'esp ([0-9A-F]+):', text)[1], 16)
    check_offsets(fields(text), base, {
        'NormalRoutine': 0, 'NormalContext': 4, 'SystemArgument1': 8,
        'SystemArgument2': 0xC, 'CONTEXT': 0x10, 'Ebx': 0xB4, 'Eax': 0xC0,
        'Eip': 0xC8, 'EFlags': 0xD0, 'Esp': 0xD4})
    assert '8D 7C 24 10 58 FF D0 6A 01 57 E8' in text

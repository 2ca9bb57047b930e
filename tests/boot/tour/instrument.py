"""Chapter 7: an instrumentation callback, and which returns it logs."""
import re

from .text import chapter

PROGRAM = [('NtClose', 'C0000008 STATUS_INVALID_HANDLE'),
           ('NtQuerySystemTime', '00000000 STATUS_SUCCESS'),
           ('NtWriteFile', '00000000 STATUS_SUCCESS'),
           ('NtQueueApcThread', '00000000 STATUS_SUCCESS'),
           ('KiUserApcDispatcher', None),
           ('NtTestAlert', '00000000 STATUS_SUCCESS')]
SYSCALL_END, INT2E_END = 0x14, 0x17     # behind the door, from the stub


def check_rows(text, behind):
    """Names and statuses in order; stubs lie 32 bytes apart, or 16."""
    rows = re.findall(r'^   (\d) +([0-9A-F]{12})  ([0-9A-F]{4}|-) +(\w+) +'
                      r'(?:begins, rsp ([0-9A-F]+)|(.*))$', text, re.M)
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert [(name, status or None)
            for _, _, _, name, _, status in rows] == PROGRAM
    for _, address, number, _, rsp, _ in rows:
        assert int(address, 16) % 16 == (0 if rsp else behind % 16)
        assert (number == '-') == bool(rsp)
        assert int(rsp or '0', 16) % 16 == 0


def check(console, is_open, int2e=False):
    text = chapter(console, 'Who calls')
    check_rows(text, INT2E_END if int2e else SYSCALL_END)
    callback, = set(re.findall(r'\{ 0, 0, ([0-9A-F]{2,}) \}', text))
    assert 'NtTestAlert, NtClose: 0 more' in text
    if is_open:
        assert 'Header.DebugActive: 02' in text
        assert f'InstrumentationCallback: {callback}\n' in text

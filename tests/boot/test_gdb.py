"""gdb with ntwalk's commands, as "make debug" starts it."""
import re

import pytest

from conftest import BUILD
from debugger import Debugger


@pytest.fixture(scope='module')
def startup():
    """A machine that stands at KiSystemStartup."""
    with Debugger(BUILD, '--no-framebuffer', 'tour') as debugger:
        yield debugger


def test_first_stop(startup):
    assert 'KiSystemStartup' in startup.greeting
    assert startup.value('$rip') == startup.value('(long)&KiSystemStartup')
    assert startup.value('$cs & 3') == 0


def test_symbols_before_anything_is_mapped(startup):
    """ntdll and the program have their names at the addresses to come."""
    assert '0x180' in startup.ask('info line NtCallbackReturn') or \
        '0x180' in startup.ask('info address NtCallbackReturn')


def test_wrong_words(startup):
    for line, complaint in (
            ('nt bp', 'nt bp: usage: nt bp [/p PID] ADDRESS'),
            ('nt bp nowhere!x', 'nt bp: no module nowhere here'),
            ('nt .process 77', 'nt .process: no process 77'),
            ('nt connect a b', 'nt connect: usage: nt connect [ADDRESS]')):
        text = startup.ask(line)
        assert text.startswith(complaint), text
        assert '\n' not in text and 'Traceback' not in text


def test_breakpoint_before_the_image_is_there(startup):
    startup.ask('nt bp ntdll!NtClose')
    startup.ask('continue')
    assert startup.value('$cs') == 0x2B
    assert startup.ask('x/i $rip').endswith('mov    r10,rcx')


def test_process_of_the_stop(startup):
    text = startup.ask('nt .process')
    assert re.search(r'pid [0-9a-f]+, tour\.exe', text)
    startup.ask('nt .process 4')
    assert 'Cannot access memory' in startup.ask('x/gx $rsp')
    startup.ask('stepi')
    assert 'Cannot access memory' not in startup.ask('x/gx $rsp')


def test_steps_hide_interrupts_unless_told(startup):
    for word, mode in (('on', '0x1'), ('off', '0x7')):
        startup.ask(f'set ntwalk irq-while-stepping {word}')
        assert f'"{mode}"' in startup.ask('maint packet qqemu.sstep')
        assert word in startup.ask('show ntwalk irq-while-stepping')

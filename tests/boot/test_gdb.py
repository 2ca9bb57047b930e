"""gdb with ntwalk's commands, as "make debug" starts it."""
import json
import os
import re
import subprocess

import pytest

from conftest import BUILD, config
from debugger import Debugger
from ntwalk import boot


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


def launch_configuration(address):
    """Returns .vscode/launch.json's gdb commands, for another build."""
    path = os.path.join(boot.ROOT, '.vscode/launch.json')
    with open(path, encoding='utf-8') as file:
        text = re.sub(r'^\s*//.*$', '', file.read(), flags=re.M)
    launch = json.loads(text)['configurations'][0]
    for command in launch['customLaunchSetupCommands']:
        yield (command['text'].replace('${workspaceFolder}/build', BUILD)
               .replace('${workspaceFolder}', boot.ROOT)
               .replace(':1234', address))


def test_visual_studio_code(tmp_path):
    """gdb as the editor starts it: by its machine interface."""
    address = str(tmp_path / 'gdb')
    with boot.start(config('tour', build=BUILD, framebuffer=False, debug=True,
                           gdb=address)):
        done = subprocess.run(
            ['gdb', '-q', '-nx', '--interpreter=mi'],
            input='\n'.join([*launch_configuration(address),
                             '-stack-info-frame', '-gdb-exit', '']),
            text=True, stdout=subprocess.PIPE, timeout=60, check=False)
    assert 'func="KiSystemStartup"' in done.stdout, done.stdout

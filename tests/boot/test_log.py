"""The kernel's messages by component and level: the boot option log."""
import os
import re

from conftest import BUILD

TRACED = os.path.join(BUILD, 'user/traced.exe')


def boot(run, log, program='traced', **options):
    return run(program, build=BUILD, add=[TRACED], framebuffer=False,
               options=['log=' + log], **options).console


def lines(console, word):
    return re.findall(rf'^{word:5} (.*)$', console, re.M)


def test_each_component_by_itself(run):
    """What it says, and what the others then do not."""
    console = boot(run, '*:none,ps:info,ldr:info,ob:info')
    process = re.search(r'^PS +process (\d+) traced.exe is made$', console,
                        re.M)[1]
    own = [line for line in lines(console, 'PS')
           if f'process {process}' in line]
    assert re.sub(r'thread \d+', 'thread', '\n'.join(own)).splitlines() == [
        f'process {process} traced.exe is made',
        f'thread of process {process} is made',
        f'thread of process {process} is made',
        f'thread of process {process} ends: 00000007',
        f'thread of process {process} ends: 00000005',
        f'process {process} traced.exe ends: 00000005']
    assert lines(console, 'LDR') == [
        f'process {process}: image at 180000000, made for 180000000: '
        '00000000',
        f'process {process}: image at 140000000, made for 140000000: '
        '00000000']
    assert lines(console, 'OB') == [
        f'handle {handle}, process {process}: {status}' for handle, status in
        (('1234', 'c0000008'), ('10', 'c0000024'), ('10', 'c0000008'))]
    for word in ('BOOT', 'OPT', 'GDT', 'SSDT', 'RAM', 'IO', 'MM'):
        assert not lines(console, word), word
    assert 'system calls' not in console


def test_page_file_and_exceptions(run):
    """What the tour's chapters do, told from the kernel's side."""
    console = boot(run, '*:warning,mm:info,ke:info,io:info', 'tour')
    assert 'The tour ends well' in console
    slot = re.search(r'^MM    page [0-9a-f]+ goes to slot (\d+) of the page '
                     r'file$', console, re.M)[1]
    assert re.search(rf'^MM    page [0-9a-f]+ comes from slot {slot} of',
                     console, re.M)
    assert re.search(r'^KE    exception c0000005 at [0-9a-f]+, thread \d+, '
                     r'first chance$', console, re.M)
    assert '\\SystemRoot\\System32\\ntdll.dll: 00000000' in \
        lines(console, 'IO')
    assert lines(console, 'RAM') and not lines(console, 'FILE')
    assert not lines(console, 'PS') and not lines(console, 'OB')


def test_wrong_words_are_named(run):
    console = boot(run, 'mm,foo:info,ps:loud,ob:none')
    for word in ('mm', 'foo:info', 'ps:loud'):
        assert f'OPT   log: {word} is not COMPONENT:LEVEL; ignored.  ' \
            'Components: * init ke mm ob io ps ldr wow64 hal; levels: none ' \
            'error warning trace info\n' in console
    assert console.count('is not COMPONENT:LEVEL') == 3
    assert lines(console, 'GDT') and lines(console, 'FILE')

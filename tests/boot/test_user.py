"""Ring-3 test programs.

tests/user/expected.txt says what each must exit with. Every row runs on the
checked test kernel and an Intel processor, and on the kernel of make run and
an AMD one with KVA shadow. On the test kernel they run on four processors,
with stubs that take INT 2Eh, and, what is not a crash, under KVA shadow if it
is 32-bit code, what is about memory with the self map elsewhere, and some of
it under UEFI.

They run one after another on one machine, from the shell: what one leaves
behind the next one meets. Rows that ask for memory, options or files have a
machine of their own. When a machine with the checked kernel has run them all,
its stacks are looked at.

A program says on a line "expected: TEXT" what the console must show next.
"""
import os

import pytest

from conftest import (BUILD, CHECKED, ENDED, NESTS, ROOT, TEST_BUILD,
                      check_stacks, config)
from ntwalk import boot
from shell import Shell


def rows():
    path = os.path.join(ROOT, 'tests/user/expected.txt')
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            words = line.split('#')[0].split()
            if words:
                yield words[0], words[1], int(words[2], 16), words[3:]


def name(row):
    return ' '.join([row[0]] + [word for word in row[3] if word[:1] != '-'])


OTHER = {'intel': '--cpu=amd', 'amd': '--cpu=intel'}


def cases(kernel, cpu):
    return [pytest.param(*row, id=name(row)) for row in rows()
            if row[1] in ('both', kernel) and OTHER[cpu] not in row[3]]


def one_by_one(kernel, cpu):
    """doors once, with all its rows."""
    return [case for case in cases(kernel, cpu)
            if not case.id.startswith('doors ')]


def programs(kernel, cpu):
    """Each program that is no crash."""
    return [case for case in one_by_one(kernel, cpu)
            if not case.values[0].endswith('crash')]


# They count pages to the last one, or are long where one processor is a turn
# of another one's, or are another one's short form.
ON_ONE_PROCESSOR = ('scarce', 'storm64', 'thrash', '32/cxx',
                    'memmodel short')

ABOUT_MEMORY = ('callregs', 'pointers', 'memory', 'memmodel', 'files',
                'images', 'loader', 'runtime', 'apc', 'threads', 'processes',
                'vectors', '32/memory', '32/loader', '32/wow64',
                '32/start32', '32/threads32')

# Memory as UEFI leaves it is other memory.
ON_UEFI = ('memory', 'images', 'processes', '32/loader', '32/wow64')

# Where Bochs follows Intel's processors and QEMU does not.
ON_BOCHS = ('callregs', 'numbers', 'args', 'pointers', 'doors', 'flags',
            'selectors', 'compat', 'context', 'exceptions', '32/exceptions',
            '32/faults', 'instrument', 'crash int_29', '32/crash int_29',
            'crash step', 'crash step_syscall', 'crash step_int2e',
            'crash step_sysenter', 'crash rcx_null', 'crash rcx_kernel',
            'crash rcx_non_canonical', 'crash r11_null', 'crash r11_kernel',
            'crash r11_non_canonical', 'crash ds_08', 'crash es_10',
            'crash fs_30', 'crash gs_40',
            'crash jump_non_canonical', 'crash continue_non_canonical',
            'crash syscall32', 'crash stack_non_canonical', '32/runtime',
            '32/start32', '32/wow64', '32/crash step_int2e',
            '32/crash syscall32', 'debugregs', '32/debugregs', 'ums', 'gates',
            'floating', 'initial')


def check_expected(console, bochs):
    """SYSRET that sets TF traps at once; on Bochs one instruction later."""
    lines = [line for line in console.splitlines() if line]
    for at, line in enumerate(lines):
        if line.startswith('expected: ') and not (bochs and
                                                  'single step' in line):
            assert at + 1 < len(lines), line
            assert line[len('expected: '):] in lines[at + 1]


# They are about their end, which a word says; or the others.
ENDS = ('crash', 'unwind', 'tlsfault', 'seh', 'sehend', 'cxx')


def is_plain(row):
    """Whether it wants no machine that is made for it."""
    return row[0].rpartition('/')[2] not in NESTS and all(
        word[:2] != '--' or word[:6] == '--cpu=' for word in row[3])


def is_end(row):
    return row[0].rpartition('/')[2] in ENDS and is_plain(row)


def add_of_series(bits, ends):
    """The programs that may run on one machine; "32" or ""."""
    names = {row[0].rpartition('/')[2] for row in rows()
             if row[0].rpartition('/')[0] == bits and is_plain(row) and
             is_end(row) == ends}
    return sorted(name + '.exe' for name in names)


class Series:
    """One machine, and its shell, for many programs."""

    def __init__(self):
        self.kind = self.machine = self.shell = None

    def start(self, kind, **options):
        """A machine whose last program did not come back is not kept."""
        if self.shell and kind == self.kind:
            return
        self.stop()
        build, bits, ends, _ = kind
        add = [os.path.join(build, 'user' + bits, name)
               for name in add_of_series(bits, ends)]
        self.machine = boot.start(config('shell', build=build, add=add,
                                         **options))
        self.machine.__enter__()
        shell = Shell(self.machine)
        shell.expect_prompt()
        self.kind, self.shell = kind, shell

    def run(self, program, *words):
        shell, self.shell = self.shell, None
        try:
            text = shell.command(' '.join(['run', program, *words]))
        except BaseException:
            print(self.machine.console[-4000:])
            raise
        self.shell = shell
        print(text)
        return text

    def stop(self):
        """What is wrong with the stacks is told of all that ran."""
        machine, shell = self.machine, self.shell
        self.machine = self.shell = None
        try:
            if shell and machine.config.kernel == CHECKED:
                shell.type('exit\r')
                shell.end(0)
                check_stacks(machine.console)
        finally:
            if machine:
                machine.__exit__(None, None, None)


@pytest.fixture(scope='session')
def series():
    it = Series()
    yield it
    it.stop()


def check_in_series(series, row, build, **options):
    program, _, status, words = row
    bits, _, program = program.rpartition('/')
    program += '.exe'
    series.start((build, bits, is_end(row), str(options)), **options)
    text = series.run(program,
                      *[word for word in words if word[:6] != '--cpu='])
    assert f'\n{program} ended with {status:08X} ' in text
    check_expected(text, options.get('emulator') == 'bochs')


def check_alone(run, row, build, **options):
    program, _, status, words = row
    bits, _, program = program.rpartition('/')
    user = os.path.join(build, 'user' + bits)
    add, arguments = [os.path.join(user, program + '.exe')], []
    for word in words:
        if word.startswith('--add='):
            add.append(word[len('--add='):].format(user=user))
        elif word.startswith('--option='):
            options['options'] = [*options.get('options', []),
                                  word[len('--option='):]]
        elif word.startswith('--memory='):
            options['memory'] = int(word[len('--memory='):])
        elif word.startswith('--cpu='):
            continue
        else:
            arguments.append(word)
    result = run(program, *arguments, build=build, add=add, timeout=120,
                 **options)
    assert result.value is not None, result.reason
    assert f'{result.value:08X}' == f'{status:08X}'
    assert ENDED in result.console
    check_expected(result.console, options.get('emulator') == 'bochs')


@pytest.fixture
def check(run, series):
    """fresh: only those that are about their end share a machine."""
    def check_row(row, build, fresh=True, **options):
        if is_end(row) or (is_plain(row) and not fresh):
            check_in_series(series, row, build, **options)
        else:
            check_alone(run, row, build, **options)
    return check_row


@pytest.mark.parametrize('program, kernel, status, words',
                         cases('test', 'intel'))
def test_intel(check, program, kernel, status, words):
    check((program, kernel, status, words), TEST_BUILD, fresh=False,
          kernel=CHECKED)


@pytest.mark.parametrize('program, kernel, status, words',
                         cases('normal', 'amd'))
def test_amd(check, program, kernel, status, words):
    check((program, kernel, status, words), BUILD, fresh=False, cpu='amd',
          options=['kva=on'])


@pytest.mark.parametrize('program, kernel, status, words',
                         [case for case in programs('test', 'intel')
                          if case.id.startswith('32/')])
def test_shadow_of_32_bit_code(check, program, kernel, status, words):
    """SYSENTER and SYSEXIT, which AMD's processors do not have."""
    check((program, kernel, status, words), TEST_BUILD, fresh=False,
          options=['kva=on'])


def about_memory(names):
    return [case for case in programs('test', 'amd') if case.id in names]


@pytest.mark.parametrize('program, kernel, status, words',
                         about_memory(ABOUT_MEMORY))
def test_self_map(check, program, kernel, status, words):
    """The tour has it at other slots (test_roads.py)."""
    check((program, kernel, status, words), TEST_BUILD, fresh=False,
          cpu='max', options=['selfmap=0x1D7'])


@pytest.mark.parametrize('program, kernel, status, words',
                         about_memory(ON_UEFI))
def test_uefi(check, program, kernel, status, words):
    """Without USB's thread: when it is its turn, a yield succeeds."""
    check((program, kernel, status, words), TEST_BUILD, fresh=False,
          cpu='max', firmware='uefi', media='usb', options=['usb=off'])


def test_intel_on_bochs(check):
    """A2, B1, B2, B6, C1 to C3, C5 to C8, E5, F6: QEMU's are others."""
    check(('intel', 'test', 0, []), TEST_BUILD, emulator='bochs', cpu='max')


def test_intel_on_bochs_with_all_doors(check):
    """The same by the shadow doors, with what speculation may need."""
    check(('intel', 'test', 0, []), TEST_BUILD, emulator='bochs', cpu='max',
          options=['kva=on', 'spec=on'])


def test_umip(check):
    """E5: the processor is one that hides its tables from ring 3."""
    check(('gates', 'test', 0, []), TEST_BUILD, cpu='max')


@pytest.mark.parametrize('program, kernel, status, words',
                         [case for case in one_by_one('test', 'intel')
                          if case.id not in ON_ONE_PROCESSOR])
def test_four_processors(check, program, kernel, status, words):
    """Stubs of 64-bit code take INT 2Eh here."""
    check((program, kernel, status, words), TEST_BUILD, fresh=False, smp=4,
          options=['doors=int2e'])


@pytest.mark.parametrize('program, kernel, status, words',
                         [case for case in cases('test', 'intel')
                          if case.id in ON_BOCHS])
def test_bochs(check, program, kernel, status, words):
    check((program, kernel, status, words), TEST_BUILD, fresh=False,
          emulator='bochs')

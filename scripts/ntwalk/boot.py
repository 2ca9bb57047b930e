"""boot.py: from options to an exit status.

    result = boot.run(Config(program='tour.exe', cpu='amd'))
    with boot.start(Config(program='spin.exe')) as machine: ...

Config holds what scripts/boot's options say; see --help there.
"""
import fcntl
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import NamedTuple

from . import image, kvm, machine, numbering, pe
from .errors import Usage

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
TOUR = 'tour.exe'
TRACER = 'trace.exe'
PROGRAM_OPTIONS = {TOUR: {'debug': 'on', 'pagefile': '4'},
                   'bench.exe': {'pagefile': '4'}}
NTDLL = 'ntdll.dll'
NTDLL32 = 'ntdll32.dll'                 # 32-bit programs know it as NTDLL
LOADER = 'BOOTX64.EFI'
SHELL = ('A shell', ['--', 'shell.exe'])
MENU_SECONDS = 10
MODE = '1024x768'                       # GRUB's, too (grub.cfg)
PE_NAMES = ('.exe', '.dll', '.sys')
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')

TIMEOUT, BUGCHECK, DEAD, USAGE = 124, 125, 126, 127
TOO_BIG = 123


def default_build():
    return os.environ.get('NTWALK_BUILD') or os.path.join(ROOT, 'build')


@dataclass
class Config:
    program: str = TOUR
    args: list = field(default_factory=list)
    firmware: str = 'bios'
    media: str = 'cd'
    cpu: str = 'intel'
    smp: int = 1
    memory: int = 256               # MiB
    options: list = field(default_factory=list)     # "key=value"
    numbering: str = None           # a path
    add: list = field(default_factory=list)         # paths
    timeout: float = 60
    emulator: str = 'qemu'
    build: str = field(default_factory=default_build)
    kernel: str = None              # the folder of another kernel
    loader: str = None              # another BOOTX64.EFI
    make: bool = True               # build what is out of date first
    test: bool = False              # make the test build
    check: bool = True              # refuse added files that are no PE
    framebuffer: bool = True
    serial: bool = True
    icount: bool = False
    kvm: bool = False
    interactive: bool = False
    debug: bool = False
    trace: bool = False             # the program's system calls, printed
    gdb: str = ':1234'              # or the path of a socket
    screendump: str = None
    qemu_args: list = field(default_factory=list)


class Result(NamedTuple):
    status: int             # scripts/boot's exit status
    reason: str             # one line, or ''
    console: str            # the kernel's text
    value: int              # the program's status or the bugcheck code
    firmware_text: str = ''


# ---- what goes on the image


def read(path):
    try:
        with open(path, 'rb') as data:
            return data.read()
    except OSError as error:
        raise Usage(f'{path}: {error.strerror}') from None


def make(config):
    """Builds what is out of date; one make at a time in one folder."""
    os.makedirs(config.build, exist_ok=True)
    flavour = os.path.join(config.build, 'flavour')
    test = config.test
    if os.path.exists(flavour):
        test = test or read(flavour).strip() == b'test'
    command = ['make', '-s', '-C', ROOT, f'-j{os.cpu_count() or 1}', 'parts',
               f'BUILD={os.path.abspath(config.build)}']
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}
    with open(os.path.join(config.build, 'lock'), 'w',
              encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command + ['TEST=1'] * test, check=False,
                              stdin=subprocess.DEVNULL, stdout=sys.stderr,
                              env=environment)
    if done.returncode:
        raise Usage('the build failed')


def built_files(build, kernel):
    """Returns {name: bytes} of what is on every image besides the kernel."""
    files = {name: read(os.path.join(build, name))
             for name in (NTDLL, NTDLL32)}
    programs = os.path.join(build, 'programs')
    if os.path.isdir(programs):
        for name in sorted(os.listdir(programs)):
            if name.endswith('.exe'):
                files[name] = read(os.path.join(programs, name))
    files['ntoskrnl.sym'] = read(os.path.join(kernel, 'ntoskrnl.sym'))
    return files


def check_pe(path, data):
    try:
        pe.check(data)
    except pe.Broken as broken:
        raise Usage(f'{path}: {broken}') from None


def add_files(files, paths, check):
    names = {name.lower(): name for name in files}
    names['numbering.txt'] = ''         # --numbering's
    for path in paths:
        name = os.path.basename(path)
        if not name or FORBIDDEN.search(name):
            raise Usage(f'{path}: not a name for \\SystemRoot\\System32')
        data = read(path)
        if check and name.lower().endswith(PE_NAMES):
            check_pe(path, data)
        taken = names.setdefault(name.lower(), name)
        if not taken:
            raise Usage(f'{path}: the name belongs to --numbering')
        if files.get(taken, data) != data:
            raise Usage(f'{path}: {taken} is on the image already')
        files[taken] = data


def find_program(name, files, check):
    """Returns the program's name as it is on the image."""
    if '.' not in name:
        name += '.exe'
    for known in files:
        if known.lower() == name.lower():
            if check:
                check_pe(known, files[known])
            return known
    programs = [known for known in files if known.lower().endswith('.exe')]
    raise Usage(f'{name} is not on the image (there are: '
                f'{" ".join(programs) or "no programs"}; --add FILE adds one)')


def check_words(config):
    for option in config.options:
        if not re.fullmatch(r'[^\s=]+=\S*', option):
            raise Usage(f'--option {option}: not key=value')
    for word in config.args:
        if not word or re.search(r'[\x00-\x1f\x7f]', word):
            raise Usage('an argument is empty or has a control character')


def command_line(config, program):
    options = ['report=e9', *config.options]
    chosen = {option.partition('=')[0] for option in config.options}
    usual = PROGRAM_OPTIONS.get(program.lower(), {})
    options += [f'{key}={value}' for key, value in usual.items()
                if key not in chosen]
    words = [program, *config.args]
    if config.trace:
        words = [TRACER, *['-c'] * config.icount, *words]
    return [*options, '--', *words]


def number(files, text, build):
    """Gives our ntdll the file's numbers; a bad file is for the kernel."""
    services = numbering.built_services(os.path.join(build, 'gen/stubs.inc'))
    try:
        files[NTDLL] = numbering.patched(
            files[NTDLL], text.decode('utf-8', 'replace'), services)
    except numbering.Invalid:
        pass


def contents(config, menu=False):
    """Returns {path on the image: bytes} for a Config."""
    check_words(config)
    kernel = config.kernel or config.build
    files = built_files(config.build, kernel)
    add_files(files, config.add, config.check)
    program = find_program(config.program, files, config.check)
    table = None
    if config.numbering is not None:
        table = read(config.numbering)
        number(files, table, config.build)
    tree, modules = image.layout(
        read(os.path.join(kernel, 'boot/ntoskrnl.elf')),
        read(config.loader or os.path.join(config.build, LOADER)), files,
        table)
    template = read(os.path.join(ROOT, 'boot/grub/grub.cfg')).decode()
    words = command_line(config, program)
    tree[image.GRUB_CFG] = image.padded(image.grub_config(
        template, words, modules, config.framebuffer))
    tree[image.OPTIONS] = image.padded(
        image.loader_options([(program, words), SHELL], MENU_SECONDS)
        if menu else
        image.loader_options([(program, [
            f'video={MODE if config.framebuffer else "none"}', *words])], 0))
    return tree


def make_image(config, target=None):
    """Returns the path of a config's image, building what is missing.

    A target is for other machines: its screen is the largest there is, and
    UEFI's loader has a menu.
    """
    if config.make:
        make(config)
    path = image.cached(contents(config, menu=bool(target)), config.build)
    if target:
        image.copy(path, target)
        return target
    return path


# ---- the machine


def check_machine(config):
    if config.emulator == 'bochs':
        wrong = [(config.firmware == 'uefi', '--firmware uefi'),
                 (config.screendump, '--screendump'),
                 (config.debug, '--debug'), (config.kvm, '--kvm'),
                 (config.icount, '--icount'),
                 (not config.framebuffer, '--no-framebuffer'),
                 (config.qemu_args, '--qemu-arg')]
        for asked, option in wrong:
            if asked:
                raise Usage(f'{option} needs QEMU, not Bochs')
    if config.kvm and config.icount:
        raise Usage('--icount and --kvm exclude each other')
    path = config.screendump
    if path and not os.path.isdir(os.path.dirname(path) or '.'):
        raise Usage(f'{path}: no such folder')
    machine.check_version(config.emulator)
    machine.check_cpu(config.emulator, config.cpu)


def start(config, on_text=machine.nothing, on_note=machine.nothing):
    """Returns a machine that starts when its with block is entered."""
    check_machine(config)
    path = make_image(config)
    if config.kvm:
        why_not = kvm.probe()
        if why_not:
            on_note(f'no KVM ({why_not}): using TCG')
            config.kvm = False
    kind = machine.Qemu if config.emulator == 'qemu' else machine.Bochs
    return kind(config, path, on_text, on_note)


def verdict(running, config, in_time):
    """Returns (status, reason, value) of a machine that has ended."""
    if running.report is None:
        if not in_time:
            return TIMEOUT, (f'no end after {config.timeout:g} s '
                             f'({running.where()})'), None
        if running.death:
            return DEAD, f'the machine reset itself ({running.death})', None
        words = running.complaints() or [running.last_words()]
        return DEAD, f'the emulator died: {words[-1]}', None
    kind, value = running.report
    if kind == 'bugcheck':
        return BUGCHECK, f'bugcheck {value:#010x}', value
    if value <= 255 and not TOO_BIG < value <= USAGE:
        return value, '', value
    return TOO_BIG, f'the program ended with {value:#010x}', value


def watch(running, config, on_started=None):
    """Waits for the machine's end; returns (status, reason, value)."""
    limit = config.timeout
    if config.debug or config.interactive:
        limit = None
    if on_started:
        on_started(running, limit)
    in_time = running.wait(limit)
    answer = verdict(running, config, in_time)
    if config.screendump and running.alive():
        try:
            running.screendump(config.screendump)
        except OSError as error:
            raise Usage(f'{config.screendump}: {error.strerror}') from None
    return answer


def run(config, on_text=machine.nothing, on_note=machine.nothing,
        on_started=None):
    """Runs a machine to its end; returns a Result."""
    with start(config, on_text, on_note) as running:
        status, reason, value = watch(running, config, on_started)
        for line in running.complaints():
            if line not in reason:
                on_note(f'{config.emulator}: {line}')
    # Only now has everything been read.
    return Result(status, reason, running.console, value,
                  running.firmware_text)

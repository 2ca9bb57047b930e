"""walk.py: one system call under gdb, from a program to walk.json.

    text = walk.follow('walk.json', build, 'NtClose', ['0x1234'], 'int2e')
"""
import os
import re
import subprocess
import tempfile
import threading

from . import boot
from .errors import Died, Usage

DOORS = ('syscall', 'int2e', 'sysenter')
TIMEOUT = 300                   # of gdb, for a call that never returns
SERVICE = re.compile(r'^SERVICE\(\w+, \w+, \d+, (\d+), (\w+)\)', re.M)
USUAL = '0x1234'                # an argument that nobody has given
MARK = '----'


def counts(build):
    """Returns {service: how many arguments}, of a build."""
    path = os.path.join(build, 'gen/services.inc.c')
    return {name: int(count) for count, name in
            SERVICE.findall(boot.read(path).decode())}


def program(build, call, args, door, apc):
    """Returns the words for programs/walk."""
    known = counts(build)
    if call not in known:
        raise Usage(f'{call} is no service (make doors lists them)')
    given = args or [USUAL] * known[call]
    if len(given) != known[call]:
        raise Usage(f'{call} takes {known[call]} argument'
                    f'{"s" * (known[call] != 1)}, not {len(given)}')
    for word in given:
        if '"' in word:
            raise Usage(f'{word}: GRUB lets no quotation mark through; texts '
                        'can be given to the shell\'s call')
    return ['apc'] * apc + [door, call, *given]


def end_with(machine):
    """A call that ends the machine must end gdb's waiting, too."""
    if machine.wait(TIMEOUT):
        machine.process.terminate()


def follow(target, build, call, args=(), door='syscall', apc=False,
           firmware='bios', cpu='intel'):
    """Writes target (walk.json); returns the walk as gdb prints it."""
    if os.path.exists(target):
        os.remove(target)
    words = f'{call} {door}{" apc" if apc else ""} > {target}'
    with tempfile.TemporaryDirectory(prefix='ntwalk-') as folder:
        address = os.path.join(folder, 'gdb')
        config = boot.Config(
            program='walk', args=program(build, call, args, door, apc),
            build=build, make=False, firmware=firmware, cpu=cpu, debug=True,
            gdb=address, framebuffer=False,
            options=['doors=int2e'] if door == 'int2e' else [])
        with boot.start(config) as machine:
            threading.Thread(target=end_with, args=(machine,),
                             daemon=True).start()
            text = debug(build, address, words)
            console = machine.console
    if not os.path.exists(target):
        raise Died(why_not(text, console))
    return text.partition(MARK)[2].strip().partition('\n[Inferior')[0]


def debug(build, address, words):
    """Returns what gdb prints of a walk."""
    done = subprocess.run(
        ['gdb', '-q', '-nx', '-batch',
         '-x', os.path.join(boot.ROOT, 'scripts/gdb/nt.py'),
         '-ex', 'nt bp walk!call_with_registers', '-ex', 'continue',
         '-ex', 'delete', '-ex', rf'echo {MARK}\n', '-ex', f'nt walk {words}',
         os.path.join(build, 'ntoskrnl.elf')],
        env={**os.environ, 'NTWALK_GDB': address},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=2 * TIMEOUT, check=False,
        text=True, errors='replace')
    return done.stdout


def why_not(text, console):
    """One line: what the program complained of, or gdb."""
    said = re.findall(r'^walk: (.*\S)', console, re.M) or re.findall(
        r'^(?:nt [.\w]+:|Error occurred in Python).*\S', text, re.M)
    return said[-1] if said else 'gdb said nothing of it'

"""lab.py: a machine that goes back to where it was, for many short runs.

    with Lab(build, programs) as lab:
        outcome = lab.run('flags', 'ac', 'syscall', limit=5)

It has booted to the shell's prompt with all programs on its image; that state
QEMU keeps in a file, and every run begins there, a few milliseconds later: a
program that hangs, crashes or resets the machine costs no boot. A name that
begins with "32/" is of 32-bit code: "32/flags" is on the image as flags_32.exe.
"""
import collections
import fcntl
import os
import re
import struct
import sys
import termios
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))
sys.dont_write_bytecode = True

from ntwalk import boot, machine                            # noqa: E402
from ntwalk.errors import Died                              # noqa: E402

PROMPT = 'ntwalk> '
BOOT_LIMIT = 60
LOOK = 0.05                             # seconds between looks at QEMU
CLUSTER = 0x10000

# kind: exit, bugcheck, reset, hang, boot (it did not come that far)
Outcome = collections.namedtuple('Outcome', 'kind value text')


def write_empty_disk(path):
    """The smallest QCOW2: a header, one refcount block, an empty table."""
    head = struct.pack('>4sIQIIQIIQQIIQ', b'QFI\xfb', 2, 0, 0, 16, CLUSTER,
                       0, 1, 3 * CLUSTER, CLUSTER, 1, 0, 0)
    with open(path, 'wb') as disk:
        for part in (head, struct.pack('>Q', 2 * CLUSTER),
                     struct.pack('>4H', 1, 1, 1, 1), b''):
            disk.write(part.ljust(CLUSTER, b'\0'))


def file_name(program):
    bits, _, name = program.rpartition('/')
    return f'{name}_{bits}.exe' if bits else f'{name}.exe'


def link(target, path):
    try:
        os.symlink(target, path)
    except FileExistsError:
        pass                            # another one was quicker


class Resettable(machine.Qemu):
    """Qemu, whose reports are taken one after another."""

    def watch(self):
        """Nobody waits for an end: Lab.run looks for itself."""

    def start(self):
        write_empty_disk(self.path('state'))
        super().start()


class Lab:
    def __init__(self, build, programs, **options):
        self.build, self.programs = build, programs
        options.setdefault('cpu', 'Skylake-Client,+umip')
        options.setdefault('options', ['pagefile=8', 'debug=on'])
        self.qemu_args = list(options.pop('qemu_args', ()))
        self.options = options
        self.machine = self.stub = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Boots to the prompt; Died if that is never seen."""
        folder = os.path.join(self.build, 'lab')
        os.makedirs(folder, exist_ok=True)
        paths = []
        for program in self.programs:
            bits, _, name = program.rpartition('/')
            path = os.path.join(folder, file_name(program))
            if not os.path.lexists(path):
                link(os.path.join(os.path.abspath(self.build),
                                        'user' + bits, name + '.exe'), path)
            paths.append(path)
        config = boot.Config(
            program='shell.exe', build=self.build, make=False, add=paths,
            qemu_args=['-drive', 'if=none,id=state,format=qcow2,file=state',
                       *self.qemu_args],
            **self.options)
        self.machine = Resettable(config, boot.make_image(config))
        self.machine.__enter__()
        try:
            self.machine.wait_for(re.escape(PROMPT), BOOT_LIMIT)
            complaint = self.machine.monitor('savevm prompt').strip()
            if complaint:
                raise Died(complaint)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        running, self.machine = self.machine, None
        if self.stub:
            self.stub.close()
            self.stub = None
        if running:
            running.__exit__(None, None, None)

    def back(self, patches=()):
        """The machine is at its prompt, and nobody has typed anything.

        patches: (address, bytes) of the kernel's code.
        """
        running = self.machine
        if not running.alive():
            self.stop()
            self.start()
            running = self.machine
        if self.status() == 'shutdown':
            running.monitor_command('set-action', reboot='reset')
            running.monitor_command('system_reset')
            while self.status() == 'shutdown':
                time.sleep(0.001)
            running.monitor_command('set-action', reboot='shutdown')
        running.monitor_command('stop')
        self.drain()
        complaint = running.monitor('loadvm prompt').strip()
        if complaint:
            raise Died(complaint)
        for address, data in patches:
            self.write(address, data)
        running.monitor_command('cont')

    def write(self, address, data):
        """Writes memory of a machine that stands still."""
        if not self.stub:
            self.stub = self.machine.gdb()
        self.stub.send(f'M{address:x},{len(data):x}:{data.hex()}')
        while (answer := self.stub.receive()) != 'OK':
            if answer.startswith('E'):
                raise Died(f'nothing can be written to {address:#x}')

    def status(self):
        return self.machine.monitor_command('query-status')['status']

    def drain(self):
        """Forgets what was typed and not read, and what was written."""
        running = self.machine
        typed, written = running.serial.input, running.serial.output
        waiting = struct.pack('i', 0)
        while True:
            count, = struct.unpack('i', fcntl.ioctl(typed, termios.FIONREAD,
                                                    waiting))
            if not count:
                break
            os.read(typed, count)
        while any(fcntl.ioctl(written, termios.FIONREAD, waiting)):
            time.sleep(0.001)
        with running.changed:
            running.console_state.text.clear()
            running.report = None

    def seconds(self):
        """How long the emulator has computed."""
        with open(f'/proc/{self.machine.process.pid}/stat',
                  encoding='ascii') as text:
            fields = text.read().rpartition(')')[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf('SC_CLK_TCK')

    def run(self, program, *words, limit=10, patches=(), meanwhile=None):
        """Returns the Outcome of one program.

        patches: see back. meanwhile(machine) comes again and again until it
        ends. limit: it hangs when the emulator has computed so many
        seconds, or has done nothing for so long.
        """
        self.back(patches)
        running = self.machine
        name = file_name(program)
        line = ' '.join(['run', name, *words])
        running.send(line + '\r')
        pattern = re.compile(re.escape(line) + r'\n(?s:.*\n)?' +
                             re.escape(name) +
                             r' ended with ([0-9A-F]{8})\b')
        computed = self.seconds() + limit
        idle = time.monotonic() + limit
        while True:
            if meanwhile:
                meanwhile(running)
            outcome = self.look(pattern, 0 if meanwhile else LOOK)
            if outcome:
                return outcome
            if 'HLT=1' not in running.monitor('info registers'):
                idle = time.monotonic() + limit
            if self.seconds() > computed or time.monotonic() > idle:
                return Outcome('hang', None, running.console)

    def look(self, pattern, patience):
        """Returns the Outcome, if there is one by now."""
        running = self.machine
        found = None

        def ended():
            nonlocal found
            found = pattern.search(running.console)
            return found or running.report or running.closed

        with running.changed:
            running.changed.wait_for(ended, patience)
        if found:
            return Outcome('exit', int(found.group(1), 16), running.console)
        if running.report:
            kind, value = running.report
            return Outcome(kind, value, running.console)
        if running.closed or not running.alive() or \
                self.status() != 'running':
            return Outcome('reset', None, running.console)
        return None

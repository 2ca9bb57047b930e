"""machine.py: one emulated PC and the wires to it.

The machine has three wires. COM1 is the console. Port E9 carries reports:
"~ntwalk exit 0xSTATUS" when the last program has ended and
"~ntwalk bugcheck 0xCODE" after a bugcheck screen; anything else written
there is passed to on_note. QMP controls QEMU.

UEFI firmware and GRUB write to COM1 too. The kernel's text begins with its
banner, so what comes before that is set aside as .firmware_text.
"""
import fcntl
import functools
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from . import gdb, png
from .errors import Died, Usage
from .qmp import Qmp

QEMU = 'qemu-system-x86_64'
OLDEST = {'qemu': (6, 2), 'bochs': (2, 6, 11)}
QEMU_CPUS = {'intel': 'Skylake-Client', 'amd': 'EPYC', 'max': 'max'}
BOCHS_CPUS = {'intel': 'corei7_skylake_x', 'amd': 'ryzen',
              'max': 'corei7_icelake_u'}
OVMF = [('/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'),
        ('/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd')]
# A time-stamp counter that counts instructions, the same on every run.
ICOUNT = ['-accel', 'tcg', '-icount', 'shift=0,sleep=off',
          '-rtc', 'base=2020-01-01,clock=vm']
BANNER = re.compile(rb'ntwalk \d')        # the loader names its files, too
REPORT = re.compile(rb'~ntwalk (exit|bugcheck) (0x[0-9a-fA-F]+)')
PANIC = re.compile(r'^\d+p\[\w* *\] >>PANIC<< (.*)$', re.M)
HARMLESS = ('TCG doesn\'t support requested feature',)


def plugin(path, **words):
    """Returns QEMU's arguments for a plugin of scripts/plugin."""
    return ['-plugin', ','.join(
        word.replace(',', ',,') for word in
        [path, *(f'{name}={value}' for name, value in words.items())])]


@functools.cache
def version_of(emulator):
    """Returns the version as a tuple of numbers; Usage when it is missing."""
    command = [QEMU, '--version'] if emulator == 'qemu' else \
        ['bochs', '--help']
    if not shutil.which(command[0]):
        raise Usage(f'{command[0]} is missing: run scripts/setup')
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    found = re.search(r'(?:version|Emulator) (\d+(?:\.\d+)+)',
                      done.stdout.decode(errors='replace'))
    if not found:
        raise Usage(f'{command[0]} does not tell its version')
    return tuple(map(int, found.group(1).split('.')))


def check_version(emulator):
    version = version_of(emulator)
    oldest = OLDEST[emulator]
    if version < oldest:
        def text(numbers):
            return '.'.join(map(str, numbers))
        raise Usage(f'{emulator} {text(version)} is too old: {text(oldest)} '
                    'or newer is needed')


def check_cpu(emulator, model):
    """Raises Usage for a processor that the emulator does not know."""
    if model in QEMU_CPUS:
        return
    command = [QEMU, '-cpu', 'help'] if emulator == 'qemu' else \
        ['bochs', '--help', 'cpu']
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if model.split(',')[0] not in done.stdout.decode().split():
        raise Usage(f'--cpu {model}: {emulator} has no such model')


class Listener:
    """A socket that the emulator will connect to."""

    def __init__(self, path=None):
        self.path = path
        family = socket.AF_UNIX if path else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.bind(path if path else ('127.0.0.1', 0))
        self.socket.listen(1)
        self.port = None if path else self.socket.getsockname()[1]

    def accept(self, alive, timeout=30):
        """Returns the connection, or raises Died when nobody comes."""
        self.socket.settimeout(0.05)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                connection = self.socket.accept()[0]
                connection.setblocking(True)
                self.socket.close()
                return connection
            except socket.timeout:
                if not alive():
                    break
        self.socket.close()
        raise Died('the emulator did not start')


class Fifo:
    """COM1 as QEMU's pair of named pipes.

    A pipe holds a whole run's text. A socket takes some 280 single bytes:
    while nobody reads, the kernel would find the port stuck and drop text.
    """

    SIZE = 1 << 20

    def __init__(self, path):
        for end in ('.in', '.out'):
            os.mkfifo(path + end)
        self.output = os.open(path + '.out', os.O_RDONLY | os.O_NONBLOCK)
        self.input = os.open(path + '.in', os.O_RDWR)
        try:
            fcntl.fcntl(self.output, 1031, self.SIZE)   # F_SETPIPE_SZ
        except OSError:
            pass                        # 64 KiB do, too

    def fileno(self):
        return self.output

    def sendall(self, data):
        while data:
            data = data[os.write(self.input, data):]

    def close(self):
        os.close(self.output)
        os.close(self.input)


class Console:
    """What came over COM1: firmware's part, then the kernel's."""

    def __init__(self, waits_for_banner, on_text):
        self.on_text = on_text
        self.firmware = bytearray()
        self.text = bytearray()
        self.started = not waits_for_banner
        self.held = b''

    def feed(self, data):
        if not self.started:
            self.firmware += data
            found = BANNER.search(self.firmware)
            if not found:
                return
            data = bytes(self.firmware[found.start():])
            del self.firmware[found.start():]
            self.started = True
        data = self.held + data
        self.held = b'\r' if data.endswith(b'\r') else b''
        if self.held:
            data = data[:-1]
        data = data.replace(b'\r\n', b'\n')
        if data:
            self.text += data
            self.on_text(data)


def nothing(_):
    pass


class Machine:
    """An emulated PC. Use it in a with statement; it ends with the block.

    config is a boot.Config, image the path of a bootable image.
    """

    def __init__(self, config, image, on_text=nothing, on_note=nothing):
        self.config = config
        self.image = os.path.abspath(image)
        self.console_state = Console(config.firmware == 'uefi', on_text)
        self.on_note = on_note
        self.changed = threading.Condition()
        self.report = None              # ('exit' or 'bugcheck', value)
        self.closed = False             # nothing more will come
        self.death = None               # where the machine reset, if it did
        self.folder = tempfile.mkdtemp(prefix='ntwalk-')
        self.process = self.serial = self.qmp = None
        self.lock = threading.Lock()    # one QMP command at a time
        self.started = time.monotonic()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- starting and stopping

    def launch(self, command, **files):
        # The emulator must not outlive us, however we end.
        if shutil.which('setpriv'):
            command = ['setpriv', '--pdeathsig', 'KILL'] + command
        self.process = subprocess.Popen(command, cwd=self.folder,
                                        stdin=subprocess.DEVNULL, **files)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def last_words(self):
        """How the emulator's process ended, if it did."""
        code = self.process.poll()
        if code is None:
            return 'it only closed its channels'
        if code < 0:
            return f'killed by {signal.Signals(-code).name}'
        return f'exit status {code}, and no reason given'

    def path(self, name):
        return os.path.join(self.folder, name)

    def pump(self, wires):
        """Reads (connection, handler) pairs until all are closed."""
        with selectors.DefaultSelector() as selector:
            for connection, handler in wires:
                selector.register(connection, selectors.EVENT_READ, handler)
            while selector.get_map():
                for key, _ in selector.select():
                    try:
                        data = os.read(key.fd, 65536)
                    except OSError:
                        data = b''
                    with self.changed:
                        if data:
                            key.data(data)
                        else:
                            selector.unregister(key.fileobj)
                        self.changed.notify_all()
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def start_pump(self, wires):
        self.pumping = threading.Thread(target=self.pump, args=(wires,),
                                        daemon=True)
        self.pumping.start()

    def reports(self):
        """Returns the handler of port E9, a line at a time."""
        pending = bytearray()

        def feed(data):
            pending.extend(data)
            while b'\n' in pending:
                line, _, rest = bytes(pending).partition(b'\n')
                pending[:] = rest
                found = REPORT.search(line)
                if found and self.report is None:
                    self.report = (found.group(1).decode(),
                                   int(found.group(2), 16))
                elif not found:
                    self.on_note(line.decode('latin-1').rstrip())
        return feed

    def stop(self):
        """Ends the emulator and reads what is left of the console."""
        if self.alive() and self.qmp:
            try:
                self.monitor_command('quit')
            except (Died, RuntimeError):
                pass
        if self.process is not None:
            try:
                self.process.wait(5 if self.qmp else 0.05)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            if hasattr(self, 'pumping'):
                self.pumping.join(5)
        for wire in (self.serial, self.qmp and self.qmp.socket):
            if wire:
                wire.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- watching

    @property
    def console(self):
        """The kernel's text so far."""
        return bytes(self.console_state.text).decode('utf-8', 'replace')

    @property
    def firmware_text(self):
        text = bytes(self.console_state.firmware).decode('latin-1')
        return re.sub(r'\x1b\[[=0-9;]*[A-Za-z]|\r', '', text)

    def ended(self):
        return self.report is not None or self.closed

    def wait(self, timeout):
        """Waits for the report or the emulator's end; False: not in time."""
        with self.changed:
            return self.changed.wait_for(self.ended, timeout)

    def wait_for(self, pattern, timeout=60):
        """Waits until the console matches; returns the match object."""
        expression = re.compile(pattern)
        found = None

        def look():
            nonlocal found
            found = expression.search(self.console)
            return found or self.ended()

        with self.changed:
            self.changed.wait_for(look, timeout)
        if not found:
            found = expression.search(self.console)
        if not found:
            raise Died(f'"{pattern}" did not appear on the console')
        return found

    def wait_for_kernel(self, timeout):
        """Waits until the kernel has written something; then COM1 is up."""
        with self.changed:
            self.changed.wait_for(
                lambda: self.console_state.text or self.closed, timeout)
        return bool(self.console_state.text)

    def send(self, data):
        """Types on COM1."""
        if isinstance(data, str):
            data = data.encode()
        try:
            self.serial.sendall(data)
        except OSError:
            pass

    # ---- QEMU only

    def monitor_command(self, name, **arguments):
        if self.qmp is None:
            raise Died('only QEMU has a control channel')
        with self.lock:
            return self.qmp.command(name, **arguments)

    def monitor(self, line):
        if self.qmp is None:
            raise Died('only QEMU has a control channel')
        with self.lock:
            return self.qmp.monitor(line)

    def registers(self, cpu=0):
        """Returns "info registers" as {name: value}; GDT is (base, limit)."""
        self.monitor(f'cpu {cpu}')
        text = self.monitor('info registers')
        result = {}
        for name, value in re.findall(r'\b([A-Z][A-Z0-9]+) *='
                                      r'([0-9a-f]{4,16})\b', text):
            result[name.lower()] = int(value, 16)
        for name, base, limit in re.findall(
                r'\b([GI]DT)= +([0-9a-f]+) ([0-9a-f]+)', text):
            result[name.lower()] = (int(base, 16), int(limit, 16))
        for name, selector, base, limit, flags in re.findall(
                r'\b([CDEFGS]S|TR|LDT) *=([0-9a-f]{4}) ([0-9a-f]+) '
                r'([0-9a-f]+) ([0-9a-f]+)', text):
            result[name.lower()] = tuple(int(word, 16) for word in
                                         (selector, base, limit, flags))
        return result

    def read(self, address, size, physical=False):
        """Reads memory as the CPU sees it, or physical memory."""
        path = self.path('memory')
        command = 'pmemsave' if physical else 'memsave'
        if address >= 1 << 63:
            address -= 1 << 64          # QMP's integers are signed
        self.monitor_command(command, val=address, size=size, filename=path)
        with open(path, 'rb') as data:
            return data.read()

    def screendump(self, path):
        """Writes the screen as a picture: PNG by name, or else PPM."""
        dump = self.path('screen.ppm')
        self.monitor_command('screendump', filename=dump)
        with open(dump, 'rb') as data:
            picture = data.read()
        if path.endswith('.png'):
            picture = png.from_ppm(picture)
        with open(path, 'wb') as out:
            out.write(picture)

    def gdb(self):
        """Opens the gdb stub, which stops the machine; returns a Gdb."""
        path = self.path('gdb')
        self.monitor(f'gdbserver unix:{path},server=on,wait=off')
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        return gdb.Gdb(connection)

    def where(self):
        """Returns one phrase: where the first processor is."""
        try:
            text = self.monitor('info registers')
        except (Died, RuntimeError):
            return 'unknown'
        rip = re.search(r'[RE]IP=([0-9a-f]+)', text)
        cpl = re.search(r'CPL=(\d)', text)
        halted = ', halted' if 'HLT=1' in text else ''
        return (f'rip={rip.group(1)} ring {cpl.group(1)}{halted}'
                if rip and cpl else 'unknown')


def gdb_words(config):
    """QEMU's words for a stub that gdb connects to, before the start."""
    if not config.debug:
        return []
    address = config.gdb
    if '/' in address:
        address = f'unix:{os.path.abspath(address)},server=on,wait=off'
    else:
        address = f'tcp:{address}'
    return ['-gdb', address, '-S']


class Qemu(Machine):
    def firmware(self):
        if self.config.firmware == 'bios':
            return []
        for code, variables in OVMF:
            if os.path.exists(code) and os.path.exists(variables):
                own = self.path('variables.fd')
                shutil.copyfile(variables, own)
                drive = 'if=pflash,format=raw,unit='
                return ['-drive', f'{drive}0,readonly=on,file={code}',
                        '-drive', f'{drive}1,file={own}']
        raise Usage('UEFI firmware is missing (package ovmf): '
                    'run scripts/setup')

    def media(self):
        drive = f'if=none,id=media,format=raw,readonly=on,file={self.image}'
        if self.config.media == 'cd':
            # AHCI's transfers are DMA; IDE's, by SeaBIOS, a word at a time.
            return ['-drive', drive + ',media=cdrom', '-device', 'ahci,id=sata',
                    '-device', 'ide-cd,bus=sata.0,drive=media,bootindex=0']
        return ['-drive', drive, '-device', 'qemu-xhci,id=usb', '-device',
                'usb-storage,bus=usb.0,drive=media,bootindex=0']

    def wires(self):
        serial = []
        if self.config.serial:
            serial = ['-chardev', 'pipe,id=com1,path=com1',
                      '-serial', 'chardev:com1']
        return serial + [
            '-chardev', 'socket,id=report,path=report',
            '-device', 'isa-debugcon,iobase=0xe9,chardev=report',
            '-chardev', 'socket,id=qmp,path=qmp', '-mon',
            'chardev=qmp,mode=control']

    def clock(self):
        config = self.config
        if config.icount:
            return ICOUNT
        return ['-accel', 'kvm' if config.kvm else 'tcg']

    def command(self):
        config = self.config
        display = ['-vga', 'std' if config.framebuffer else 'none']
        debug = gdb_words(config)
        return [QEMU, '-name', 'ntwalk', '-no-user-config', '-nodefaults',
                '-machine', 'pc', *self.clock(),
                '-cpu', QEMU_CPUS.get(config.cpu, config.cpu),
                '-smp', str(config.smp), '-m', str(config.memory),
                '-display', 'none', *display, *self.firmware(),
                *self.media(), *self.wires(),
                '-action', 'reboot=shutdown,shutdown=pause',
                *debug, *config.qemu_args]

    def start(self):
        listeners = {name: Listener(self.path(name))
                     for name in ('report', 'qmp')}
        if self.config.serial:
            self.serial = Fifo(self.path('com1'))
        with open(self.path('errors'), 'wb') as errors:
            self.launch(self.command(), stdout=errors, stderr=errors)
        try:
            wires = {name: listener.accept(self.alive)
                     for name, listener in listeners.items()}
            self.qmp = Qmp(wires['qmp'])
        except Died as died:
            reason = self.complaints() or [str(died)]
            raise Died(f'the emulator died: {reason[-1]}') from None
        self.events = threading.Thread(target=self.watch, daemon=True)
        pairs = [(wires['report'], self.reports())]
        if self.serial:
            pairs.append((self.serial, self.console_state.feed))
        self.start_pump(pairs)
        self.events.start()

    def watch(self):
        """Notices a machine that reset or switched itself off."""
        while not self.closed and self.report is None:
            time.sleep(0.2)
            try:
                status = self.monitor_command('query-status')['status']
            except (Died, RuntimeError, KeyError):
                return
            if status in ('shutdown', 'internal-error', 'guest-panicked'):
                self.death = self.where()
                with self.changed:
                    self.closed = True
                    self.changed.notify_all()
                return

    def complaints(self):
        """What QEMU said, without the warnings that mean nothing."""
        try:
            with open(self.path('errors'), encoding='utf-8',
                      errors='replace') as lines:
                return [line.strip() for line in lines
                        if line.strip() and not any(word in line
                                                    for word in HARMLESS)]
        except OSError:
            return []


def listens(pid):
    """Whether a process has a TCP socket that listens."""
    folder = f'/proc/{pid}/fd'
    try:
        own = {os.readlink(os.path.join(folder, name))
               for name in os.listdir(folder)}
    except OSError:                     # it has ended, or closed one
        return False
    with open('/proc/net/tcp', encoding='ascii') as table:
        rows = [line.split() for line in table]
    return any(row[3] == '0A' and f'socket:[{row[9]}]' in own for row in rows)


class Bochs(Machine):
    def wait_for_screen(self):
        """Bochs has found a port for its RFB screen, or has ended.

        Of two that look for one at the same moment, one finds none: both can
        bind the same port, only one can listen, and the other one goes on
        with a socket that is bound. So they start one after the other.
        """
        while self.alive() and not listens(self.process.pid):
            time.sleep(0.01)

    def configuration(self, port):
        config = self.config
        drive = 'type=cdrom, path="{}", status=inserted' \
            if config.media == 'cd' else \
            'type=disk, mode=volatile, path="{}"'
        boot = 'cdrom' if config.media == 'cd' else 'disk'
        serial = [f'com1: enabled=1, mode=socket-client, '
                  f'dev=127.0.0.1:{port}'] if config.serial else []
        return '\n'.join([
            'display_library: rfb, options="timeout=0"',
            'plugin_ctrl: unmapped=1, biosdev=1, speaker=0, parallel=0, '
            'serial=1, extfpuirq=0',
            'romimage: file=/usr/share/bochs/BIOS-bochs-latest',
            'vgaromimage: file=/usr/share/vgabios/vgabios.stdvga.bin',
            # Of a graphics mode the RFB screen says that it cannot show it,
            # and Bochs then draws beyond its memory.
            'vga: extension=none, update_freq=1',
            # What waits for a device waits in instructions: 868 for a
            # character at 115200 baud.
            f'cpu: model={BOCHS_CPUS.get(config.cpu, config.cpu)}, '
            f'count={config.smp}, ips=10000000, '
            'reset_on_triple_fault=0, ignore_bad_msrs=1',
            f'megs: {config.memory}',
            'clock: sync=none, time0=utc',
            'pci: enabled=1, chipset=i440fx, slot1=pcivga',
            'port_e9_hack: enabled=1',
            'ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14',
            'ata0-master: ' + drive.format(self.image),
            f'boot: {boot}',
            *serial,
            'log: log',
            'panic: action=fatal', 'error: action=report',
            'info: action=ignore', 'debug: action=ignore']) + '\n'

    def start(self):
        listener = Listener() if self.config.serial else None
        with open(self.path('bochsrc'), 'w', encoding='utf-8') as out:
            out.write(self.configuration(listener and listener.port))
        with open(self.path('continue'), 'w', encoding='ascii') as out:
            out.write('c\n')
        command = ['bochs', '-q', '-f', 'bochsrc', '-rc', 'continue']
        turn = os.path.join(tempfile.gettempdir(),
                            f'ntwalk-bochs-{os.getuid()}')
        with open(turn, 'w', encoding='ascii') as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.launch(command, stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL)
            self.wait_for_screen()
        pairs = [(self.process.stdout, self.reports())]
        if listener:
            self.serial = listener.accept(self.alive)
            pairs.append((self.serial, self.console_state.feed))
        self.on_note = nothing          # Bochs' own chatter is there too
        self.start_pump(pairs)

    def complaints(self):
        """Bochs' panics."""
        try:
            with open(self.path('log'), encoding='utf-8',
                      errors='replace') as lines:
                return PANIC.findall(lines.read())
        except OSError:
            return []

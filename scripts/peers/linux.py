"""linux.py: one run of Linux with our programs.

    run(kernel, programs, cpu, options, icount)     {name: ticks}

The programs tell their figures on the serial console; init.c says when and
how. The machine is bench's.
"""
import os
import re
import subprocess
import tempfile

from ntwalk import bench, machine
from ntwalk.errors import Died

from . import initramfs

NOT_TRAPPED = 50                # instructions between two readings
LIMIT = 120                     # seconds
FIGURE = re.compile(r'^~peers (\S+) ([0-9a-f]{16})\r*$', re.M)
FAILED = re.compile(r'^~failed (.*) ([0-9a-f]{16})\r*$', re.M)


def command(kernel, archive, cpu, options, icount):
    words = f'console=ttyS0 quiet {options}' + ('' if icount else ' -- time')
    # Random numbers decide where the kernel and its structures lie.
    return [machine.QEMU, *bench.flags(icount), '-cpu', cpu,
            '-m', str(bench.MEMORY), '-display', 'none', '-vga', 'none',
            '-serial', 'stdio', '-no-reboot', '-seed', '1',
            '-kernel', kernel, '-initrd', archive, '-append', words]


def figures_of(console):
    """Returns {name: ticks}; Died when the programs did not come to an end."""
    failed = FAILED.search(console)
    if failed:
        raise Died(f'Linux: {failed[1]} failed with {int(failed[2], 16)}')
    figures = {name: int(digits, 16)
               for name, digits in FIGURE.findall(console)}
    if figures.pop('end', None) is None:
        lines = [line.strip() for line in console.splitlines() if line.strip()]
        raise Died('Linux did not come to an end: ' +
                   (lines[-1] if lines else 'it wrote nothing'))
    return figures


def run(kernel, programs, cpu, options, icount=True):
    with tempfile.TemporaryDirectory(prefix='ntwalk-') as folder:
        archive = os.path.join(folder, 'initramfs')
        with open(archive, 'wb') as out:
            out.write(initramfs.archive(programs))
        try:
            done = subprocess.run(
                command(kernel, archive, cpu, options, icount), timeout=LIMIT,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, check=False)
        except subprocess.TimeoutExpired:
            raise Died(f'Linux did not end within {LIMIT} s') from None
    figures = figures_of(done.stdout.decode('utf-8', 'replace'))
    if icount and figures['empty'] > NOT_TRAPPED:
        raise Died('Linux traps readings of the time-stamp counter')
    return figures


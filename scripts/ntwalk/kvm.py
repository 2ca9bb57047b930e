"""kvm.py: whether KVM here runs ring 3 as a processor does.

Some hosts offer a KVM that interprets guests in software and gets ring-3
SYSCALL and INT wrong. So before KVM is used, a guest of one sector goes to
ring 3 and comes back through a gate; see kvmprobe.asm.
"""
import os
import subprocess
import tempfile

from .machine import QEMU

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      'kvmprobe.asm')
# isa-debug-exit ends QEMU with 2 * value + 1.
ARRIVED = 2 * 0x2A + 1


def probe(accelerator='kvm'):
    """Returns None when KVM can be trusted, else one phrase why not."""
    if accelerator == 'kvm' and not os.access('/dev/kvm', os.W_OK):
        return '/dev/kvm cannot be opened'
    with tempfile.TemporaryDirectory(prefix='ntwalk-') as folder:
        sector = os.path.join(folder, 'probe')
        made = subprocess.run(['nasm', '-f', 'bin', '-o', sector, SOURCE],
                              check=False)
        if made.returncode:
            return 'the probe cannot be assembled'
        command = [QEMU, '-accel', accelerator, '-nodefaults',
                   '-display', 'none', '-no-reboot', '-drive',
                   f'format=raw,file={sector}', '-device',
                   'isa-debug-exit,iobase=0xf4,iosize=4']
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=5,
                                  check=False)
        except subprocess.TimeoutExpired:
            return 'the probe hangs'
    if done.returncode != ARRIVED:
        return 'a ring-3 INT does not arrive'
    return None

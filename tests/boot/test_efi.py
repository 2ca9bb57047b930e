"""UEFI's loader: its menu, its options, and a volume that is damaged.

What it makes of each word of its files is ../unit/efi.c's.
"""
import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, ROOT, config
from ntwalk import boot, image
from ntwalk.machine import Qemu
from picture import code_texts
from tour import machine as tour_machine

DOWN = '\x1b[B'
SNAKEOIL = '/usr/share/ovmf/PkKek-1-snakeoil'
SAFE = 'It is now safe to turn off your computer.'


def machine(change=lambda tree: None, menu=False, **options):
    """A machine whose image is what change makes of the usual one."""
    configuration = config(build=BUILD, firmware='uefi', **options)
    tree = boot.contents(configuration, menu=menu)
    change(tree)
    return Qemu(configuration, image.cached(tree, BUILD))


def wait_for(running, pattern):
    """Until the firmware's console, which cuts long lines, matches."""
    def found():
        return re.search(pattern, running.firmware_text.replace('\n', ''))
    with running.changed:
        running.changed.wait_for(lambda: found() or running.ended(), 60)
    print(running.firmware_text)
    assert found()


def remove(path):
    return lambda tree: tree.pop(path)


def damage(path):
    """One bit in the middle of it."""
    def change(tree):
        data = bytearray(tree[path])
        data[len(data) // 2] ^= 1
        tree[path] = bytes(data)
    return change


def shorten(path):
    def change(tree):
        tree[path] = tree[path][:-1]
    return change


@pytest.mark.parametrize('change, complaint', [
    (remove('esp/ntwalk/ntoskrnl.elf'),
     r'\\ntwalk\\ntoskrnl\.elf is missing on the volume\.'),
    (remove('esp/ntwalk/System32/tour.exe'),
     r'\\ntwalk\\System32\\tour\.exe is missing on the volume\.'),
    (remove('esp/ntwalk/files.txt'), r'\\ntwalk\\files\.txt is missing'),
    (damage('esp/ntwalk/System32/ntdll.dll'),
     r'ntdll\.dll is damaged: its CRC-32 is [0-9A-F]{8}, and should be'),
    (shorten('esp/ntwalk/ntoskrnl.elf'), r'ntoskrnl\.elf is damaged: it has'),
])
def test_damaged_volume(change, complaint):
    """One line; then a key, and it is the firmware's turn again."""
    with machine(change) as running:
        wait_for(running, complaint + r'[^~]*Press a key')
        assert not running.ended()
        running.send('x')
        wait_for(running, 'Press a key[^~]*BdsDxe: failed to start')
        assert not running.ended()


def test_no_options():
    """They are what the image is filled with last."""
    def change(tree):
        tree[image.OPTIONS] = tree[image.OPTIONS].replace(b'|', b' ')
    with machine(change) as running:
        wait_for(running, r'options\.txt: a line is neither')


def test_menu():
    """A tour, and below it a shell."""
    with machine(menu=True) as running:
        wait_for(running, r'tour\.exe  [^~]*A shell[^~]*goes on by itself')
        running.send(DOWN)
        wait_for(running, r'Arrow keys and Enter\. ')
        running.send('\r')
        running.wait_for('> $')
        assert 'shell.exe' in running.console
        assert re.search(r'VIDEO .* (\d+)x', running.console)


def test_menu_goes_on_by_itself():
    def change(tree):
        tree[image.OPTIONS] = tree[image.OPTIONS].replace(
            f'timeout={boot.MENU_SECONDS}'.encode(), b'timeout=01')
    with machine(change, menu=True) as running:
        running.wait_for(SAFE)
        assert 'The tour ends well' in running.console
        assert 'in 1 s it goes on' in running.firmware_text


@pytest.mark.parametrize('video, found', [
    ('800x600', r'VIDEO \w+  800x600, 32 bits'),
    ('3840x2160', r'VIDEO \w+  3840x2160, 32 bits, pitch 15360'),
    ('none', None)])
def test_video(video, found, tmp_path):
    """A QR code on a screen that is large enough, text on every one."""
    picture = str(tmp_path / 'screen.ppm')

    def change(tree):
        tree[image.OPTIONS] = tree[image.OPTIONS].replace(
            f'video={boot.MODE}'.encode(), f'video={video}'.encode())
    with machine(change, qemu_args=[
            '-vga', 'none', '-device', 'VGA,vgamem_mb=64']) as running:
        assert running.wait(60)
        running.screendump(picture)
        if found:
            assert re.search(found, running.console)
        assert found or 'VIDEO' not in running.console
        assert 'OPT   video' not in running.console
        text = tour_machine.check(running.console)
        assert f', {video if found else "no screen"}\n' in text
        codes = [text] if video == '3840x2160' else []
        assert code_texts(picture) == codes


class SecureQemu(Qemu):
    """A machine whose firmware runs what Debian's snakeoil key has signed."""

    def firmware(self):
        own = self.path('variables.fd')
        shutil.copyfile('/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd', own)
        drive = 'if=pflash,format=raw,unit='
        return ['-machine', 'q35,smm=on', '-global',
                'driver=cfi.pflash01,property=secure,value=on', '-drive',
                f'{drive}0,readonly=on,'
                'file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd',
                '-drive', f'{drive}1,file={own}']


def secure_machine(loader):
    return SecureQemu(
        config(build=BUILD, firmware='uefi', media='usb'),
        boot.make_image(config(build=BUILD, loader=loader)))


def test_secure_boot(tmp_path):
    """make sign; without it the firmware refuses."""
    key, certificate = tmp_path / 'key', SNAKEOIL + '.pem'
    subprocess.run(['openssl', 'rsa', '-in', SNAKEOIL + '.key', '-passin',
                    'pass:snakeoil', '-out', key], check=True)
    subprocess.run(['make', '-s', '-C', ROOT,
                    f'BUILD={os.path.abspath(BUILD)}', 'sign', f'KEY={key}',
                    f'CERT={certificate}'], check=True)
    signed = os.path.join(BUILD, 'signed/BOOTX64.EFI')
    assert os.path.exists(os.path.join(BUILD, 'signed/ntwalk.iso'))
    with secure_machine(signed) as running:
        running.wait_for(SAFE)
        assert 'The tour ends well' in running.console
    with secure_machine(None) as running:
        wait_for(running, 'Access Denied|Security Violation')


def test_sign_without_a_key():
    done = subprocess.run(['make', '-s', '-C', ROOT, 'sign'], check=False,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and 'KEY=FILE.key' in done.stderr

"""scripts/bench-peers without Linux: what it asks for, builds and prints.

A run with Linux takes minutes and a download: make bench-peers.
"""
import json
import os
import struct
import subprocess

import pytest

from conftest import ROOT
from ntwalk.errors import Died, Usage
from peers import debian, initramfs, linux, table

RECORD = os.path.join(ROOT, 'tests/bench/peers.json')
PAGE = os.path.join(ROOT, 'docs/peers.md')
PACKAGE = 'linux-image-9-cloud-amd64'

# What an apt with that package says, and what one without it does.
UPDATE = 'case "$*" in *" update") exit 0;; esac\n'
DEPENDS = f'echo "{debian.WANTED}"; echo "  Depends: {PACKAGE}"\n'
OFFLINE = 'echo "W: first"; echo "E: no way to deb.debian.org"; exit 100\n'
DOWNLOAD = 'echo package > ' + PACKAGE + '_9.1_amd64.deb\n'


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """machine(TOOL=TEXT): its commands are these shell scripts alone."""
    def having(**scripts):
        for name, text in scripts.items():
            path = tmp_path / name.replace('_', '-')
            path.write_text('#!/bin/sh\n' + text)
            path.chmod(0o755)
        monkeypatch.setenv('PATH', str(tmp_path))
        return str(tmp_path / 'peers')
    return having


def complaint(folder):
    with pytest.raises(Usage) as wrong:
        debian.kernel(folder)
    text = str(wrong.value)
    assert '\n' not in text and '--kernel FILE' in text
    assert not debian.kept(folder)
    return text


def test_no_apt(machine):
    assert f'no apt-get here to get {debian.WANTED}' in complaint(machine())


def test_no_network(machine):
    folder = machine(apt_get=OFFLINE, apt_cache=DEPENDS, dpkg_deb='')
    assert 'E: no way to deb.debian.org' in complaint(folder)


def test_other_sources(machine):
    folder = machine(apt_get=UPDATE, apt_cache='echo N: no; exit 100\n',
                     dpkg_deb='')
    assert f'no {debian.WANTED} in this' in complaint(folder)


def test_no_download(machine):
    folder = machine(apt_get=UPDATE + OFFLINE, apt_cache=DEPENDS, dpkg_deb='')
    assert f'{PACKAGE} cannot be downloaded: E: no way' in complaint(folder)


@pytest.mark.parametrize('unpacking', ['exit 2\n', 'echo no archive\n'])
def test_no_kernel_in_it(machine, unpacking):
    folder = machine(apt_get=UPDATE + DOWNLOAD, apt_cache=DEPENDS,
                     dpkg_deb=unpacking)
    assert f'{PACKAGE}_9.1_amd64.deb has no kernel' in complaint(folder)


def test_kernel_is_taken_out_once(machine, tmp_path):
    os.makedirs(tmp_path / 'root/boot')
    (tmp_path / 'root/boot/vmlinuz-9-cloud-amd64').write_text('kernel')
    folder = machine(
        apt_get=UPDATE + DOWNLOAD, apt_cache=DEPENDS,
        dpkg_deb=f'/bin/tar -c -C {tmp_path}/root ./boot\n')
    path, words = debian.kernel(folder)
    assert words == f'{PACKAGE} 9.1' and os.listdir(folder) == \
        [os.path.basename(path)]
    with open(path, encoding='ascii') as file:
        assert file.read() == 'kernel'
    machine(apt_get=OFFLINE)
    assert debian.kernel(folder) == (path, words)


def test_missing_package_is_one_line(machine, tmp_path):
    """The command itself, where python3 and QEMU are all that is there."""
    for tool in ('python3', 'qemu-system-x86_64'):
        (tmp_path / tool).symlink_to(f'/usr/bin/{tool}')
    machine()
    done = subprocess.run(
        ['/usr/bin/python3', os.path.join(ROOT, 'scripts/bench-peers'),
         '--build', str(tmp_path)], stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (1, b'')
    assert done.stderr.startswith(b'bench-peers: no apt-get here')
    assert done.stderr.count(b'\n') == 1


def test_programs_are_static(tmp_path):
    subprocess.run(['make', '-s', f'BUILD={tmp_path}', 'peers'], cwd=ROOT,
                   check=True, stdin=subprocess.DEVNULL)
    for name, width in (('init', 2), ('compat', 1)):
        data = (tmp_path / 'peers' / name).read_bytes()
        assert data[:5] == b'\x7fELF' + bytes([width])
        at, size, count = \
            struct.unpack_from('<32xQ14xHH', data) if width == 2 else \
            struct.unpack_from('<28xI10xHH', data)
        kinds = {struct.unpack_from('<I', data, at + n * size)[0]
                 for n in range(count)}
        assert 1 in kinds and not kinds & {2, 3}    # no linker is asked for


def test_archive():
    data = initramfs.archive({'init': b'12345', 'a': b''})
    found, at = [], 0
    while at < len(data):
        assert data[at:at + 6] == b'070701' and at % 4 == 0
        fields = [int(data[at + n:at + n + 8], 16) for n in range(6, 110, 8)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = data[at + 110:at + 110 + length]
        at += (110 + length + 3) // 4 * 4
        found.append((name, mode, data[at:at + size]))
        at += (size + 3) // 4 * 4
    assert found == [(b'init\0', 0o100755, b'12345'), (b'a\0', 0o100755, b''),
                     (b'TRAILER!!!\0', 0, b'')]


def test_figures_of_a_console():
    text = ('noise\r\n~peers syscall 0000000000000144\r\n'
            '[    1.0] ~peers wrong 1\r\n~peers end 0000000000000000\r\n')
    assert linux.figures_of(text) == {'syscall': 0x144}
    with pytest.raises(Died, match='clone failed with 12'):
        linux.figures_of(text + '~failed clone 000000000000000c\r\n')
    with pytest.raises(Died, match='to an end: Kernel panic'):
        linux.figures_of('~peers syscall 0000000000000144\nKernel panic\n\n')
    with pytest.raises(Died, match='it wrote nothing'):
        linux.figures_of('')


def record():
    with open(RECORD, encoding='ascii') as file:
        return json.load(file)


def test_table():
    data = record()
    model, figures = next(iter(data['cpus'].items()))
    figures['counted'] = {'ntwalk': {'yield': 100}, 'off': {'yield-pair': 400},
                          'pti': {'yield-pair': 500}}
    for names in figures['counted'].values():
        names['yield-pair-usual'] = 0
        names['begin'] = 200 * 10 ** 6
    figures['counted']['ntwalk'][table.TO_RING_3] = 50 * 10 ** 6
    figures['timed'] = {
        'ntwalk': [{'yield': 300}, {'yield': 200}],
        'off': [{'yield-pair': 250, 'yield-pair-usual': 0}] * 2,
        'pti': [{'yield-pair': 800, 'yield-pair-usual': 0}] * 2}
    figures['rate'] = 2 * 10 ** 9
    data['cpus'] = {model: figures}
    lines = table.table(data).splitlines()
    assert f'-cpu {model}' in lines
    rows = [line.split() for line in lines if line.startswith('yield')]
    assert rows == [
        'yield, FIFO 100 400 0.25 500 0.20 100 0.80 0.25 50%'.split(),
        'yield, usual 100 0 - 0 - 100 - - 50%'.split()]
    assert 'reset to ring 3 50M 200M 0.25 200M 0.25'.split() in \
        [line.split() for line in lines]
    assert not any('null call' in line for line in lines)


def test_page_has_the_recorded_table():
    """docs/peers.md is for reading, tests/bench/peers.json is its source."""
    with open(PAGE, encoding='utf-8') as page:
        assert table.table(record()).strip() in page.read()


def test_no_record(tmp_path):
    path = tmp_path / 'record'
    for text in ('', '[]', '{"cpus": 1}'):
        path.write_text(text)
        done = subprocess.run(
            ['scripts/bench-peers', '--table', str(path)], cwd=ROOT,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, check=False)
        assert (done.returncode, done.stdout) == (1, b'')
        assert done.stderr == \
            f'bench-peers: {path}: not a record of figures\n'.encode()

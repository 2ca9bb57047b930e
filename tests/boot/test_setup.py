"""scripts/setup on machines that lack something. Nothing gets installed."""
import os
import subprocess

from conftest import ROOT

TOOLS = ['sh', 'cat', 'id', 'sed', 'head', 'grep', 'env']


def run_setup(tmp_path, *more):
    """Runs it where only a few commands are on the PATH."""
    for tool in TOOLS + list(more):
        for folder in ('/usr/bin', '/bin'):
            path = os.path.join(folder, tool)
            if os.path.exists(path):
                (tmp_path / tool).symlink_to(path)
                break
    return subprocess.run([os.path.join(ROOT, 'scripts/setup')],
                          env={'PATH': str(tmp_path)}, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_nothing_is_missing_here():
    done = subprocess.run([os.path.join(ROOT, 'scripts/setup')], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')


def test_without_apt(tmp_path):
    done = run_setup(tmp_path)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 1 and len(lines) == 1
    assert 'no apt-get' in lines[0]
    for package in ('nasm', 'qemu-system-x86', 'gcc-mingw-w64-x86-64'):
        assert package in lines[0].split()


def test_what_is_there_is_not_asked_for(tmp_path):
    words = run_setup(tmp_path, 'nasm').stderr.decode().split()
    assert 'nasm' not in words and 'gcc' in words


def test_package_that_cannot_be_installed(tmp_path):
    fake = tmp_path / 'apt-get'
    fake.write_text('#!/bin/sh\n[ "$1" = update ]\n')
    fake.chmod(0o755)
    sudo = tmp_path / 'sudo'
    sudo.write_text('#!/bin/sh\nexec "$@"\n')
    sudo.chmod(0o755)
    done = run_setup(tmp_path)
    assert done.returncode == 1
    assert b'could not install' in done.stderr

"""image.py: the bootable image, for CD or USB, BIOS or UEFI.

One grub-mkrescue image holds the kernel, and every file of \\SystemRoot\\
System32 as a boot module. Images are kept under BUILD/images by a hash of
all that is in them; they appear under their name only when complete, so that
machines can be started in parallel.

The command line is in grub.cfg. grub-mkrescue takes most of a second, so it
sees a placeholder; images that differ in nothing else are copies of one, with
their own grub.cfg written over it.
"""
import hashlib
import os
import shutil
import subprocess
import tempfile
import time

from .errors import Usage

MAX_SIZE = 8 << 20
GRUB_MODULES = ('multiboot2 normal all_video iso9660 fat search configfile '
                'part_acorn part_amiga part_apple part_bsd part_dfly part_dvh '
                'part_gpt part_msdos part_plan part_sun part_sunpc')
NEEDED = {
    'grub-mkrescue': 'grub-common',
    'xorriso': 'xorriso',
    'mformat': 'mtools',
    '/usr/lib/grub/i386-pc/moddep.lst': 'grub-pc-bin',
    '/usr/lib/grub/x86_64-efi/moddep.lst': 'grub-efi-amd64-bin',
}
GRUB_CFG = 'boot/grub/grub.cfg'
PLACEHOLDER = b'# The place of grub.cfg.'
CFG_UNIT = 4096
KEPT_IMAGES = 100
KEPT_SECONDS = 600


def quote(word):
    """Returns a word as GRUB's script language reads it back."""
    return "'" + word.replace("'", "'\\''") + "'"


def grub_config(template, command_line, modules, graphics):
    lines = [line for line in template.splitlines()
             if not line.startswith('#')]
    rows = '\n'.join(f'module2 {quote(path)} {quote(name)}'
                     for path, name in modules)
    return ('\n'.join(lines)
            .replace('@GFXPAYLOAD@', '1024x768x32,auto' if graphics
                     else 'text')
            .replace('@COMMAND_LINE@', ' '.join(map(quote, command_line)))
            .replace('@MODULES@', rows) + '\n')


def layout(kernel, files, numbering, config_for):
    """Returns {path on the image: bytes}; files is {name: bytes}."""
    tree = {'boot/ntoskrnl.elf': kernel}
    modules = []
    for name, data in files.items():
        tree[f'System32/{name}'] = data
        modules.append((f'/System32/{name}', name))
    if numbering is not None:
        tree['boot/numbering.txt'] = numbering
        modules.append(('/boot/numbering.txt', 'numbering.txt'))
    config = config_for(modules).encode()
    tree[GRUB_CFG] = config.ljust(-(-len(config) // CFG_UNIT) * CFG_UNIT,
                                  b'\n')
    return tree


def digest(tree):
    total = hashlib.sha256(GRUB_MODULES.encode())
    for path in sorted(tree):
        total.update(f'{path}\0{len(tree[path])}\0'.encode())
        total.update(tree[path])
    return total.hexdigest()[:20]


def check_tools():
    for tool, package in NEEDED.items():
        there = os.path.exists(tool) if tool[0] == '/' else shutil.which(tool)
        if not there:
            raise Usage(f'{tool} is missing (package {package}): '
                        'run scripts/setup')


def write_tree(folder, tree):
    for path, data in tree.items():
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as out:
            out.write(data)


def make(tree, target):
    """Runs grub-mkrescue over the files; target appears complete or not."""
    check_tools()
    folder = os.path.dirname(os.path.abspath(target))
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='ntwalk-') as temporary:
        write_tree(os.path.join(temporary, 'root'), tree)
        iso = os.path.join(temporary, 'image.iso')
        done = subprocess.run(
            ['grub-mkrescue', '--fonts=', '--locales=', '--themes=',
             '--compress=xz', f'--install-modules={GRUB_MODULES}',
             '-o', iso, os.path.join(temporary, 'root')],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        if done.returncode or not os.path.exists(iso):
            lines = done.stdout.decode(errors='replace').strip().split('\n')
            raise Usage(f'grub-mkrescue failed: {lines[-1]}')
        part = f'{target}.{os.getpid()}.part'
        shutil.copyfile(iso, part)
        os.replace(part, target)


def prune(folder):
    """Keeps the newest images; a young one may be in use."""
    images = []
    for entry in os.scandir(folder):
        try:
            images.append((entry.stat().st_mtime, entry.path))
        except FileNotFoundError:
            pass
    for when, path in sorted(images, reverse=True)[KEPT_IMAGES:]:
        if time.time() - when > KEPT_SECONDS:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass


def with_config(path, config, target):
    """Copies an image with a placeholder; target appears complete or not."""
    with open(path, 'rb') as data:
        whole = data.read()
    placeholder = PLACEHOLDER.ljust(len(config))
    if whole.count(placeholder) != 1:
        raise Usage(f'{path}: not one grub.cfg; remove the file')
    part = f'{target}.{os.getpid()}.part'
    with open(part, 'wb') as out:
        out.write(whole.replace(placeholder, config))
    os.replace(part, target)


def cached(tree, build):
    """Returns the path of an image with just these files."""
    folder = os.path.join(build, 'images')

    def kept(tree, fill):
        path = os.path.join(folder, digest(tree) + '.iso')
        if os.path.exists(path):
            os.utime(path)
        else:
            fill(path)
            prune(folder)
        return path

    config = tree[GRUB_CFG]
    plain = tree | {GRUB_CFG: PLACEHOLDER.ljust(len(config))}
    base = kept(plain, lambda path: make(plain, path))
    return kept(tree, lambda path: with_config(base, config, path))


def copy(path, target):
    """Copies an image; target appears complete or not at all."""
    size = os.path.getsize(path)
    if size >= MAX_SIZE:
        raise Usage(f'the image has {size} bytes; {MAX_SIZE} are allowed')
    part = f'{target}.{os.getpid()}.part'
    try:
        shutil.copyfile(path, part)
        os.replace(part, target)
    except OSError as error:
        raise Usage(f'{target}: {error.strerror}') from None

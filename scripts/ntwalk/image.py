"""image.py: the bootable image, for CD or USB, BIOS or UEFI.

An image has the kernel and every file of \\SystemRoot\\System32 twice: on an
ISO 9660 volume for the BIOS and GRUB, and on a FAT volume in its second
partition for UEFI and BOOTX64.EFI (boot/efi). The same files make the same
image, bit by bit, whenever and wherever that is. Images are kept under
BUILD/images by a hash of all that is in them; they appear under their name
only when complete, so that machines can be started in parallel.

The command line is in grub.cfg and in options.txt. Images that differ in
nothing else are copies of one with placeholders, over which their own two
files are written.
"""
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import zlib

from .errors import Usage

MAX_SIZE = 8 << 20
GRUB_FOLDER = '/usr/lib/grub/i386-pc'
GRUB_DEPENDENCIES = f'{GRUB_FOLDER}/moddep.lst'
GRUB_CORE = ['biosdisk', 'iso9660']     # compressed: the less, the sooner
GRUB_MODULES = ['normal', 'multiboot2', 'vbe']      # and those they need
NEEDED = {
    'grub-mkimage': 'grub-common',
    'xorriso': 'xorriso',
    'mformat': 'mtools',
    GRUB_DEPENDENCIES: 'grub-pc-bin',
}
GRUB_PREFIX = 'boot/grub'
GRUB_CFG = f'{GRUB_PREFIX}/grub.cfg'
ESP = 'esp/'                            # what follows is on the FAT volume
OPTIONS = ESP + 'ntwalk/options.txt'
ELTORITO = f'{GRUB_PREFIX}/eltorito.img'     # GRUB's core
CONFIGS = (GRUB_CFG, OPTIONS)
CFG_UNIT = 4096
EPOCH = '1577836800'                   # of every file and volume
DATE = '2020010100000000'               # the same, as xorriso wants it
ESP_UNIT = 32 << 10                     # bytes of a cylinder, heads * sectors
ESP_SPARE = 128 << 10                   # for FATs, folders, parts of clusters
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


def loader_options(entries, timeout):
    """Returns options.txt; entries are (title, words of a command line)."""
    rows = [f'{title} | {" ".join(words)}' for title, words in entries]
    return '\n'.join([f'timeout={timeout}', *rows]) + '\n'


def file_list(tree):
    """Returns files.txt: of each file its CRC-32, its size, its name."""
    return ''.join(f'{zlib.crc32(data):08X} {len(data)} {name}\n'
                   for name, data in tree.items()).encode()


def padded(text):
    """Some room, so that another text can take its place."""
    data = text.encode()
    return data.ljust(-(-len(data) // CFG_UNIT) * CFG_UNIT, b'\n')


def layout(kernel, loader, files, numbering):
    """Returns ({path on the image: bytes}, [(path, name) of GRUB's modules]).

    files is {name: bytes}; CONFIGS are still missing.
    """
    named = {f'System32/{name}': data for name, data in files.items()}
    modules = [(f'/{path}', os.path.basename(path)) for path in named]
    tree = {'boot/ntoskrnl.elf': kernel, **named}
    if numbering is not None:
        tree['boot/numbering.txt'] = named['numbering.txt'] = numbering
        modules.append(('/boot/numbering.txt', 'numbering.txt'))
    named = {'ntoskrnl.elf': kernel, **named}
    tree |= {f'{ESP}ntwalk/{path}': data for path, data in named.items()}
    tree[ESP + 'ntwalk/files.txt'] = file_list(named)
    tree[ESP + 'EFI/BOOT/BOOTX64.EFI'] = loader
    return tree, modules


def digest(tree):
    total = hashlib.sha256(' '.join(GRUB_CORE + GRUB_MODULES).encode())
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


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, 'LC_ALL': 'C.UTF-8',
                               'SOURCE_DATE_EPOCH': EPOCH})
    if done.returncode:
        lines = done.stdout.decode(errors='replace').strip().split('\n')
        raise Usage(f'{command[0]} failed: {lines[-1]}')


def make_esp(path, folder):
    """Makes a FAT volume of what is in a folder."""
    size = ESP_SPARE + sum(
        -(-os.path.getsize(os.path.join(parent, name)) // 4096) * 4096
        for parent, _, names in os.walk(folder) for name in names)
    units = -(-size // ESP_UNIT)
    run('mformat', '-C', '-i', path, '-t', str(units), '-h', '2', '-s',
        str(ESP_UNIT // 2 // 512), '-N', '0', '-v', 'ntwalk', '::')
    run('mcopy', '-s', '-i', path,
        *(os.path.join(folder, name) for name in sorted(os.listdir(folder))),
        '::')


def grub_files():
    """Returns {path on the image: bytes} of what GRUB's core loads."""
    with open(GRUB_DEPENDENCIES, encoding='ascii') as lines:
        needs = {name: rest.split() for name, _, rest in
                 (line.partition(':') for line in lines)}
    names, more = set(), set(GRUB_MODULES)
    while more:
        names |= more
        more = {need for name in more for need in needs[name]} - names
    files = {}
    for name in sorted(names.difference(GRUB_CORE)):
        with open(f'{GRUB_FOLDER}/{name}.mod', 'rb') as data:
            files[f'{GRUB_PREFIX}/i386-pc/{name}.mod'] = data.read()
    return files


def make(tree, target):
    """Makes both volumes of the files; target appears complete or not."""
    check_tools()
    folder = os.path.dirname(os.path.abspath(target))
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='ntwalk-') as temporary:
        root, esp, volume, iso = (os.path.join(temporary, name) for name in
                                  ('root', 'esp', 'esp.img', 'image.iso'))
        write_tree(root, {path: data for path, data in tree.items()
                          if not path.startswith(ESP)} | grub_files())
        write_tree(temporary, {path: data for path, data in tree.items()
                               if path.startswith(ESP)})
        make_esp(volume, esp)
        run('grub-mkimage', '-O', 'i386-pc-eltorito', '-d', GRUB_FOLDER,
            '-p', f'/{GRUB_PREFIX}', '-o', os.path.join(root, ELTORITO),
            *GRUB_CORE)
        run('xorriso', '-as', 'mkisofs', '-r', '-V', 'NTWALK',
            '-o', iso, f'--modification-date={DATE}',
            '--set_all_file_dates', DATE,
            # A BIOS: the CD's boot record, or the disk's.
            '-b', ELTORITO, '-no-emul-boot', '-boot-load-size', '4',
            '-boot-info-table', '--grub2-boot-info',
            '--grub2-mbr', f'{GRUB_FOLDER}/boot_hybrid.img',
            # UEFI: the same on the CD, the partition on the disk.
            '-append_partition', '2', '0xef', volume, '-eltorito-alt-boot',
            '-e', '--interval:appended_partition_2:all::', '-no-emul-boot',
            '--protective-msdos-label', root)
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


def placeholder(path, config):
    return f'# The place of {path}.'.encode().ljust(len(config))


def with_configs(base, tree, target):
    """Copies an image with placeholders; target appears complete or not."""
    with open(base, 'rb') as data:
        whole = data.read()
    for path in CONFIGS:
        there = placeholder(path, tree[path])
        if whole.count(there) != 1:
            raise Usage(f'{base}: not one {path}; remove the file')
        whole = whole.replace(there, tree[path])
    part = f'{target}.{os.getpid()}.part'
    with open(part, 'wb') as out:
        out.write(whole)
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

    plain = tree | {path: placeholder(path, tree[path]) for path in CONFIGS}
    base = kept(plain, lambda path: make(plain, path))
    return kept(tree, lambda path: with_configs(base, tree, path))


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

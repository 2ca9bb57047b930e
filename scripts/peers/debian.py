"""debian.py: Debian's kernel for virtual machines, on demand.

    kernel(folder)      (path, package and version)

The package is downloaded and its kernel taken out. Nothing is installed: an
installed kernel would be booted the next time. apt keeps the lists of this
download in the folder, so that they are new, the machine's stay as they are,
and nobody has to be root. A kernel that is in the folder is taken as it is.
"""
import glob
import os
import shutil
import subprocess
import tarfile
import tempfile

from ntwalk.errors import Usage

WANTED = 'linux-image-cloud-amd64'
TOOLS = ('apt-get', 'apt-cache', 'dpkg-deb')
KERNEL = 'vmlinuz_'               # and the package's name
OTHERWISE = '(--kernel FILE measures another kernel)'


def fail(reason):
    raise Usage(f'{reason} {OTHERWISE}')


def apt(folder, command, *words):
    """Runs an apt command that writes only below the folder."""
    for name in ('lists', 'cache'):
        os.makedirs(os.path.join(folder, name, 'partial'), exist_ok=True)
    settings = {'Dir::State::lists': os.path.join(folder, 'lists'),
                'Dir::Cache': os.path.join(folder, 'cache'),
                'APT::Sandbox::User': ''}
    options = [word for name, value in settings.items()
               for word in ('-o', f'{name}={value}')]
    return subprocess.run(
        [command, *options, *words], cwd=folder, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, 'LC_ALL': 'C'},
        encoding='utf-8', errors='replace')


def last_line(done):
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f'status {done.returncode}'


def package_of(folder):
    """What the package without a version in its name depends on."""
    done = apt(folder, 'apt-get', '-q', 'update')
    if done.returncode:
        fail(f'apt-get update failed: {last_line(done)}')
    done = apt(folder, 'apt-cache', 'depends', WANTED)
    names = [line.split()[-1] for line in done.stdout.splitlines()
             if 'Depends: linux-image-' in line]
    if not names:
        fail(f"no {WANTED} in this machine's package sources")
    return names[0]


def download(folder):
    """Returns the package's path."""
    name = package_of(folder)
    done = apt(folder, 'apt-get', '-q', 'download', name)
    found = glob.glob(os.path.join(glob.escape(folder), name + '_*.deb'))
    if done.returncode or not found:
        fail(f'{name} cannot be downloaded: {last_line(done)}')
    return found[0]


def take_kernel(package, target):
    """Writes the file /boot/vmlinuz-* of a package; False: it has none."""
    with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', package],
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as unpacking, \
            tarfile.open(fileobj=unpacking.stdout, mode='r|') as files:
        for member in files:
            if member.name.startswith('./boot/vmlinuz-'):
                with open(target, 'wb') as out:
                    shutil.copyfileobj(files.extractfile(member), out)
                unpacking.kill()
                return True
    return False


def fetch(folder):
    """Leaves the kernel in the folder, under a name that tells its package."""
    with tempfile.TemporaryDirectory(prefix='apt-', dir=folder) as place:
        package = download(place)
        name = os.path.basename(package)
        unpacked = os.path.join(place, 'vmlinuz')
        try:
            there = take_kernel(package, unpacked)
        except tarfile.TarError:
            there = False
        if not there:
            fail(f'{name} has no kernel')
        os.replace(unpacked,
                   os.path.join(folder, KERNEL + name[:-len('.deb')]))


def kept(folder):
    return glob.glob(os.path.join(glob.escape(folder), KERNEL + '*'))


def kernel(folder):
    if not kept(folder):
        for tool in TOOLS:
            if not shutil.which(tool):
                fail(f'no {tool} here to get {WANTED} with')
        os.makedirs(folder, exist_ok=True)
        fetch(os.path.abspath(folder))
    path = max(kept(folder))
    _, package, version, *_ = os.path.basename(path).split('_')
    return path, f'{package} {version}'

"""Two builds of one commit are the same image, bit by bit."""
import os
import shutil
import subprocess

from conftest import BUILD, ROOT


def test_second_build(tmp_path):
    """In another folder, a while later; what was built is not taken along."""
    tree = tmp_path / 'elsewhere'
    shutil.copytree(ROOT, tree, ignore=lambda folder, names: [
        name for name in names
        if name in ('.git', 'build', '__pycache__') or
        os.path.join(folder, name) == BUILD])
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith('MAKE')}
    done = subprocess.run(
        ['make', '-s', '-C', tree, 'BUILD=other', 'image'], check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment)
    print(done.stdout)
    assert done.returncode == 0
    with open(os.path.join(BUILD, 'SHA256SUMS'), encoding='ascii') as sums:
        assert (tree / 'other/SHA256SUMS').read_text() == sums.read()

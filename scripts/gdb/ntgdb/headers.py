"""headers.py: constants of the kernel's sources; no symbol file has them."""
import functools
import os
import re

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '../../..'))
STATUSES = 'kernel/include/nt/ntstatus.h'
DESCRIPTORS = 'arch/amd64/include/arch/descriptors.h'
SHARED_PAGE = 'arch/amd64/include/nt/kuser.h'
SERVICES = 'kernel/include/nt/ntapi.h'
LEVELS = 'kernel/include/ke_object.h'
MM = 'kernel/mm/mi.h'
SYSTEM, POOL = 'kernel/mm/system.c', 'kernel/mm/pool.c'
PROTECTIONS = 'kernel/mm/vad.h'

DEFINE = re.compile(r'^#define +([A-Za-z_]\w*) +'
                    r'(?:\(\((\w+)\))?(0x[0-9A-Fa-f]+|\d+)[UL]*\)?'
                    r'[ \t]*(?:/\*.*)?$', re.M)


@functools.lru_cache(maxsize=None)
def constants(path, cast=None):
    """Returns {name: number} of a file's #defines.

    cast: only those with that cast, '' only those without any.
    """
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        rows = DEFINE.findall(file.read())
    return {name: int(number, 0) for name, its_cast, number in rows
            if cast is None or its_cast == cast}


def names(path, number, prefix='', cast=None):
    """Returns the names of a number, those that begin with prefix."""
    return [name for name, value in constants(path, cast).items()
            if value == number and name.startswith(prefix)]

"""nt.py: makes gdb a debugger for ntwalk.

    gdb -x scripts/gdb/nt.py build/ntoskrnl.elf

"help nt" lists the commands. With NTWALK_GDB=ADDRESS in the environment gdb
connects at once; scripts/debug does so.
"""
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import ntgdb.session                                        # noqa: E402
import ntgdb.unwind                                         # noqa: E402
from ntgdb import command                                   # noqa: E402

# The files whose COMMANDS there are, in the order of docs/gdb.md.
GROUPS = (
    'session',
    'dt',
    'dump',
    'names',
    'descriptors',
    'registers',
    'paging',
    'address',
    'kuser',
    'processor',
    'ssdt',
    'threads',
    'objects',
    'queues',
    'usermode',
    'stack',
    'bugcheck',
    'walk',
)

command.Nt()
for group in GROUPS:
    for kind in importlib.import_module(f'ntgdb.{group}').COMMANDS:
        kind()
ntgdb.unwind.start()
ntgdb.session.start()

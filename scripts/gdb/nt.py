"""nt.py: makes gdb a debugger for ntwalk.

    gdb -x scripts/gdb/nt.py build/ntoskrnl.elf

"help nt" lists the commands. With NTWALK_GDB=ADDRESS in the environment gdb
connects at once; scripts/debug does so.
"""
import os
import sys

import gdb

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import ntgdb.session                                        # noqa: E402
from ntgdb import command                                   # noqa: E402

command.Nt()
ntgdb.session.start()

#!/usr/bin/env python3
"""check_layers.py: who may include whose headers.

usage: check_layers.py [ROOT]

The rules are those of docs/layers.md; its table "Upward, and why" is the
list of exceptions, read from there. An include against the rules is an error
that names file and line; so is an exception that nothing needs any more.
"""
import glob
import os
import re
import sys

LINE = ['rtl', 'ke', 'mm', 'hal', 'ex', 'ob', 'io', 'ps', 'usb', 'etw',
        'win32k', 'wow64', 'init']
OPEN = {'kd.h', 'etw.h', 'loader.h', 'bug.h'}   # ring 1, open to the kernel
GENERATED = {'services.h', 'services.inc.c', 'services32.inc.c',
             'calls.inc.c', 'statuses.inc.c'}
FREESTANDING = {'stdarg.h', 'stddef.h', 'stdint.h'}
RING3 = ('ntdll-stub/', 'programs/', 'tests/user/')
FREE = ('tests/unit/', 'tests/fuzz/')   # tests look everywhere
ARCH_LEVEL = 'mm'                       # arch/ is the lower half of Ke and Mm
ARCH_PRIVATE = {'ke/ki.h', 'mm/mi.h'}
SOURCES = ['kernel', 'arch', 'boot', 'ntdll-stub', 'programs', 'tests/user',
           'tests/kernel', 'tests/unit', 'tests/fuzz']
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]')
NT_HEADER = re.compile(r'(kernel|arch/\w+)/include/nt/')
MACHINE = re.compile(r'^[ \t]*#[ \t]*(?:if|elif|ifdef|ifndef)\b.*'
                     r'(__x86_64__|__i386__|__amd64__|_M_|_WIN64|ARCH)')
ROW = re.compile(r'\|(.+?)\|(.+?)\|(.+?)\|\s*$')


def component(header):
    """Returns the component of a ring-1 header: "mm.h", "rtl_pe.h"."""
    return header[:-2].split('_')[0]


def up_to(name):
    """Returns the components that name may use."""
    return LINE[:LINE.index(name) + 1]


def is_ring1(header):
    return '/' not in header and component(header) in LINE


def may_include(path, quote, header):
    """Returns whether a file may include a header, exceptions aside."""
    if path.startswith(FREE):
        return True
    if header.startswith('nt/') or header in FREESTANDING:
        return True
    if path.startswith(RING3):
        return quote == '"' or header in GENERATED | {'ntdll.h', 'machine.h'}
    if NT_HEADER.match(path):
        return False
    if header in OPEN:
        return True
    if path.startswith('boot/'):
        return quote == '"' or header == 'memmap.h'
    if header.startswith(('arch/', 'x86/')):
        return not path.startswith('kernel/rtl/')
    if header in GENERATED:
        return path.startswith(('kernel/ke/', 'kernel/wow64/',
                                'tests/kernel/'))
    if path.startswith('tests/kernel/'):
        return is_ring1(header) or quote == '"' and '/' not in header
    if path.startswith('arch/'):
        return header in ARCH_PRIVATE or \
            is_ring1(header) and component(header) in up_to(ARCH_LEVEL)
    return in_kernel(path, quote, header)


def in_kernel(path, quote, header):
    if path.startswith('kernel/include/'):
        own = component(os.path.basename(path))
        return own not in ('kd', 'etw') and is_ring1(header) and \
            component(header) in up_to(own)
    own = path.split('/')[1]
    if quote == '"':
        return '/' not in header
    if own == 'kd':
        return header == 'rtl.h'
    return is_ring1(header) and component(header) in up_to(own)


def exceptions(root):
    """Yields (path, header) of docs/layers.md."""
    path = os.path.join(root, 'docs/layers.md')
    with open(path, encoding='utf-8') as text:
        section = text.read().split('## Upward, and why')[1].split('\n## ')[0]
    for line in section.splitlines():
        row = ROW.match(line)
        if not row or '`' not in row.group(1):
            continue
        folder = ''
        for name in re.findall(r'`([^`]+)`', row.group(1)):
            if '/' in name:
                folder = os.path.dirname(name) + '/'
            else:
                name = folder + name
            for header in re.findall(r'`([^`]+)`', row.group(2)):
                yield name, header


def sources(root):
    for folder in SOURCES:
        for pattern in ('**/*.c', '**/*.h'):
            yield from glob.glob(f'{root}/{folder}/{pattern}', recursive=True)


def main(root):
    wrong, unused = [], set(exceptions(root))
    allowed = frozenset(unused)
    count = 0
    for path in sorted(sources(root)):
        name = os.path.relpath(path, root)
        count += 1
        with open(path, encoding='utf-8') as lines:
            for at, line in enumerate(lines, 1):
                found = INCLUDE.match(line)
                if found and not may_include(name, *found.groups()):
                    pair = name, found.group(2)
                    unused.discard(pair)
                    if pair not in allowed:
                        wrong.append(f'{name}:{at}: may not include '
                                     f'{found.group(2)}')
                if name.startswith('kernel/') and MACHINE.match(line):
                    wrong.append(f'{name}:{at}: the machine is chosen by '
                                 'include path, not by #if')
    wrong += [f'docs/layers.md: {name} no longer needs {header}'
              for name, header in sorted(unused)]
    if wrong:
        sys.exit('\n'.join(wrong))
    print(f'{count} files keep to their layers')


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else
         os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

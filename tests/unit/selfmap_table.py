#!/usr/bin/env python3
"""selfmap_table.py: tests/fidelity/selfmap.json as C, for selfmap.c.

usage: selfmap_table.py selfmap.json selfmap_table.h
"""
import json
import sys


def row(words):
    return '    {' + ', '.join(f'0x{int(word, 16):x}' for word in words) + '},'


def main(source, target):
    with open(source, encoding='ascii') as text:
        facts = json.load(text)
    slots = [row([slot] + bases) for slot, bases in facts['slots'].items()]
    examples = [row(example) for example in facts['examples']]
    with open(target, 'w', encoding='ascii') as out:
        out.write('\n'.join(
            ['/* slot, pte, pde, ppe, pxe base, address of its own entry */',
             'static const ULONGLONG slots[][6] = {', *slots, '};',
             '/* slot, va, its pte, pde, ppe, pxe */',
             'static const ULONGLONG examples[][6] = {', *examples, '};'])
            + '\n')


if __name__ == '__main__':
    main(*sys.argv[1:])

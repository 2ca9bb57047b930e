#!/usr/bin/env python3
"""gen_asserts.py: holds our structures to Windows' layouts.

usage: gen_asserts.py LAYOUTS.JSON OUT.C HEADER...

Each HEADER is "include/path:name.h"; one that others include comes first.
Every "typedef struct _NAME { ... }" in
them must be a structure of LAYOUTS.JSON, or in its list of structures that
have no layout there, with the source they were written from. For each field
that the layouts know OUT.C gets a _Static_assert of offset and size; a field
they do not know is an invention, and an error, unless its name begins with
pad_ or the list of exceptions says why it is there. Bit fields have no
offset in C; their positions are compared here.
"""
import json
import re
import sys

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M)
HEAD = re.compile(r'\b(struct|union)\s+(_\w+)\s*\{')
NESTED = re.compile(r'(struct|union)(?:\s+\w+)?\s*\{')
ATTRIBUTE = re.compile(r'__attribute__\s*\(\(.*?\)\)')


class Wrong(Exception):
    """One line for the user."""


def matching_brace(text, at):
    """Returns where the block that opens at text[at] has ended."""
    depth = 0
    for end in range(at, len(text)):
        depth += {'{': 1, '}': -1}.get(text[end], 0)
        if depth == 0:
            return end + 1
    raise Wrong('a brace is missing')


def members(body):
    """Yields (declaration, nested body or None) of one level."""
    at = 0
    while body[at:].strip():
        start = at + len(body[at:]) - len(body[at:].lstrip())
        nested = NESTED.match(body, start)
        if nested:
            end = matching_brace(body, nested.end() - 1)
            stop = body.index(';', end)
            yield (nested.group(1), body[end:stop].strip(),
                   body[nested.end():end - 1])
        else:
            stop = body.index(';', start)
            yield None, body[start:stop].strip(), None
        at = stop + 1


def declared_names(declaration):
    """Yields (name, bit width or None) of "type a, *b[2], c : 3"."""
    function = re.search(r'\(\s*\*\s*(\w+)\s*\)\s*\(', declaration)
    if function:
        yield function.group(1), None
        return
    for part in declaration.split(','):
        found = re.search(r'(\w+)\s*(?:\[[^\]]*\]\s*)*(?::\s*(\d+))?\s*$',
                          part)
        if not found:
            raise Wrong(f'cannot read "{declaration}"')
        width = found.group(2)
        yield found.group(1), int(width) if width else None


def fields(body, prefix='', is_union=False):
    """Yields (dotted name, (bit position, width) or None)."""
    bits = 0
    for kind, declaration, nested in members(body):
        if nested is not None:
            names = list(declared_names(declaration)) if declaration else []
            for name, _ in names:
                yield prefix + name, None
            inner = prefix + names[0][0] + '.' if names else prefix
            yield from fields(nested, inner, kind == 'union')
            bits = 0
            continue
        for name, width in declared_names(declaration):
            if width is None:
                bits = 0
                yield prefix + name, None
            else:
                yield prefix + name, (0 if is_union else bits, width)
                bits += width


def structures(text):
    """Yields (kind, name, fields) of a header."""
    text = ATTRIBUTE.sub('', DIRECTIVE.sub('', COMMENT.sub('', text)))
    for head in HEAD.finditer(text):
        end = matching_brace(text, head.end() - 1)
        yield head.group(1), head.group(2), list(
            fields(text[head.end():end - 1], '', head.group(1) == 'union'))


def check_structure(kind, name, found, facts, exceptions):
    """Returns the assertions of one structure; raises Wrong."""
    tag = f'{kind} {name}'
    out = [f'CHECK(sizeof({tag}) == {facts["size"]:#x});']
    known = facts['fields']
    for field, bits in found:
        if field.split('.')[-1].startswith('pad_'):
            continue
        if field not in known:
            if f'{name}.{field}' not in exceptions:
                raise Wrong(f'{name}.{field} is not a field of Windows')
            continue
        fact = known[field]
        if f'{name}.{field}' in exceptions:
            fact = fact[:2]
        if bits is not None:
            if list(bits) != fact[2:]:
                raise Wrong(f'{name}.{field} is bit {bits[0]}, width '
                            f'{bits[1]}; Windows has {fact[2:]}')
            continue
        if len(fact) > 2:
            raise Wrong(f'{name}.{field} is a bit field of Windows')
        out.append(f'CHECK(offsetof({tag}, {field}) == {fact[0]:#x});')
        out.append(f'CHECK(sizeof((({tag} *)0)->{field}) == {fact[1]:#x});')
    return out


def main(layouts, target, headers):
    with open(layouts, encoding='ascii') as text:
        facts = json.load(text)
    out, wrong, count = [], [], 0
    for header in headers:
        folder, _, name = header.partition(':')
        out.append(f'#include <{name}>')
        with open(f'{folder}/{name}', encoding='ascii') as text:
            text = text.read()
        for kind, tag, found in structures(text):
            count += 1
            try:
                if tag in facts['structs']:
                    out += check_structure(kind, tag, found,
                                           facts['structs'][tag],
                                           facts['exceptions'])
                elif tag not in facts['other_sources']:
                    raise Wrong(f'{tag} is not a structure of Windows')
            except Wrong as error:
                wrong.append(f'gen_asserts.py: {folder}/{name}: {error}')
    if wrong:
        sys.exit('\n'.join(wrong))
    text = [f'/* made from {layouts.split("/")[-1]}: {count} structures */',
            '#define CHECK(fact) _Static_assert(fact, #fact)', *out, '']
    with open(target, 'w', encoding='ascii') as file:
        file.write('\n'.join(text))


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit('usage: gen_asserts.py LAYOUTS.JSON OUT.C HEADER...')
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

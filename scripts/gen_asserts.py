#!/usr/bin/env python3
"""gen_asserts.py: holds our structures to Windows' layouts.

usage: gen_asserts.py LAYOUTS.JSON... OUT.C HEADER...

Each HEADER is "include/path:name.h"; one that others include comes first.
Every "typedef struct _NAME { ... }" in
them must be a structure of LAYOUTS.JSON, or in its list of structures that
have no layout there, with the source they were written from; "sizes" may say
how large one of those is. A second
LAYOUTS.JSON is for structures of 32-bit code: one that is called _NAME32, or
is in ALIASES, is held to _NAME there. For each field
that the layouts know OUT.C gets a _Static_assert of offset and size; a field
they do not know is an invention, and an error, unless its name begins with
pad_ or the list of exceptions says why it is there. Bit fields have no
offset in C; their positions are compared here.
"""
import itertools
import json
import re
import sys

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M)
HEAD = re.compile(r'\b(struct|union)\s+(_\w+|kuser_shared_data_xp)\s*\{')
NESTED = re.compile(r'(struct|union)(?:\s+\w+)?\s*\{')
ATTRIBUTE = re.compile(r'__attribute__\s*\(\(.*?\)\)')
ALIASES = {
    '_WOW64_CONTEXT': '_CONTEXT',
    '_WOW64_FLOATING_SAVE_AREA': '_FLOATING_SAVE_AREA',
    'kuser_shared_data_xp': '_KUSER_SHARED_DATA',
}


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


def find_layout(layouts, name):
    """Returns (the layouts that know a structure, its name there)."""
    alias = ALIASES.get(name, name[:-2] if name.endswith('32') else name)
    candidates = [(layouts[0], name)]
    if alias != name:
        candidates.append((layouts[-1], alias))
    for facts, known in candidates:
        if known in facts['structs'] or known in facts['other_sources']:
            return facts, known
    raise Wrong(f'{name} is not a structure of Windows')


def check_structure(kind, name, found, layouts):
    """Returns the assertions of one structure; raises Wrong."""
    layout, known_name = find_layout(layouts, name)
    tag = f'{kind} {name}'
    if known_name not in layout['structs']:
        size = layout.get('sizes', {}).get(known_name)
        return [f'CHECK(sizeof({tag}) == {size:#x});'] if size else []
    facts, exceptions = layout['structs'][known_name], layout['exceptions']
    out = [f'CHECK(sizeof({tag}) == {facts["size"]:#x});']
    known = facts['fields']
    for field, bits in found:
        if field.split('.')[-1].startswith('pad_'):
            continue
        excepted = f'{known_name}.{field}' in exceptions
        if field not in known:
            if not excepted:
                raise Wrong(f'{name}.{field} is not a field of Windows')
            continue
        fact = known[field][:2] if excepted else known[field]
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


def read_layouts(path):
    with open(path, encoding='ascii') as text:
        return json.load(text)


def main(paths, target, headers):
    layouts = [read_layouts(path) for path in paths]
    out, wrong, count = [], [], 0
    for header in headers:
        folder, _, name = header.partition(':')
        out.append(f'#include <{name}>')
        with open(f'{folder}/{name}', encoding='ascii') as text:
            text = text.read()
        for kind, tag, found in structures(text):
            count += 1
            try:
                out += check_structure(kind, tag, found, layouts)
            except Wrong as error:
                wrong.append(f'gen_asserts.py: {folder}/{name}: {error}')
    if wrong:
        sys.exit('\n'.join(wrong))
    made_from = ', '.join(path.split('/')[-1] for path in paths)
    text = [f'/* made from {made_from}: {count} structures */',
            '#define CHECK(fact) _Static_assert(fact, #fact)', *out, '']
    with open(target, 'w', encoding='ascii') as file:
        file.write('\n'.join(text))


def is_layouts(word):
    return word.endswith('.json')


if __name__ == '__main__':
    words = sys.argv[1:]
    jsons = list(itertools.takewhile(is_layouts, words))
    if not jsons or len(words) < len(jsons) + 2:
        sys.exit('usage: gen_asserts.py LAYOUTS.JSON... OUT.C HEADER...')
    main(jsons, words[len(jsons)], words[len(jsons) + 1:])

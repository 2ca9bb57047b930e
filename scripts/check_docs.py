#!/usr/bin/env python3
"""check_docs.py: what the pages point at is there.

usage: check_docs.py [ROOT]

In every page (*.md): a link leads to a file, and to a heading of it if it
names one; a `path/file.c` is the end of a file's path; a `name` alone, of a
file or from the code, is somewhere in what is not a page.
"""
import os
import re
import sys

SOURCES = ('.c', '.cc', '.h', '.asm', '.inc', '.py', '.tab', '.txt', '.mk',
           '.ld', '.cfg', '')
FENCE = re.compile(r'^```.*?^```', re.M | re.S)
LINK = re.compile(r'\]\(([^)\s#]*)(?:#([^)\s]*))?\)')
HEADING = re.compile(r'^#+ (.*)', re.M)
CODE = re.compile(r'`([^`\n]+)`')
FILE = re.compile(r'(?!build/)[\w.-]+(/[\w.-]+)*\.(c|cc|h|asm|inc|py|tab|md)$')
NAME = re.compile(r'[A-Za-z_]\w{3,}(\(\))?$')


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as text:
        return text.read()


def files_of(root):
    """Returns the paths of all files, as seen from root."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders
                      if name != 'build' and not name.startswith('.')]
        found += [os.path.relpath(os.path.join(folder, name), root)
                  for name in names]
    return sorted(found)


def anchors(text):
    """Returns what a link may name: headings as GitHub turns them."""
    return {re.sub(r'[^\w\- ]', '', line.lower().strip()).replace(' ', '-')
            for line in HEADING.findall(FENCE.sub('', text))}


def dead_links(root, page, text):
    for path, anchor in LINK.findall(text):
        target = os.path.normpath(os.path.join(os.path.dirname(page), path)) \
            if path else page
        if '://' in path:
            continue
        if not os.path.exists(os.path.join(root, target)):
            yield f'{path} does not exist'
        elif anchor and anchor not in anchors(read(root, target)):
            yield f'{path or page} has no heading #{anchor}'


def unknown_names(page, text, files, sources):
    for name in CODE.findall(text):
        if FILE.match(name) and '/' in name:
            near = os.path.normpath(os.path.join(os.path.dirname(page), name))
            if near not in files and \
                    not any(path.endswith('/' + name) for path in files) and \
                    name not in files:
                yield f'there is no file {name}'
        elif FILE.match(name) or NAME.match(name):
            if name.rstrip('()') not in sources:
                yield f'{name} is nowhere in the code'


def main(root):
    files = files_of(root)
    pages = [path for path in files if path.endswith('.md')]
    sources = '\n'.join(
        path if os.path.splitext(path)[1] not in SOURCES else
        path + '\n' + read(root, path)
        for path in files if path not in pages)
    wrong = []
    for page in pages:
        text = FENCE.sub('', read(root, page))
        wrong += [f'{page}: {complaint}' for complaint in
                  [*dead_links(root, page, text),
                   *unknown_names(page, text, set(files), sources)]]
    if wrong:
        sys.exit('\n'.join(wrong))
    print(f'{len(pages)} pages, all links and names lead somewhere')


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else
         os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

"""walkcheck.py: what has to hold of a folder that "make walk" has written.

    check_page(browser, folder)     the page, in Chromium
    structure(walk)                 what two runs of one call have in common

The page is looked at as it is laid out: on a phone and a desk, light and
dark, room by room. None of it knows which call was walked.
"""
import json
import os

from ntwalk import walkpage, walkschema

SCREENS = ((360, 'dark'), (1280, 'light'))
HEIGHT = 900
CONTRAST = 4.5                  # WCAG's AA, for text of any size

# What the browser is asked of the room that is shown.
LOOK = r'''(all => {
    const box = one => one.getBoundingClientRect();
    const seen = one => one.checkVisibility({visibilityProperty: true}) &&
        !one.closest('.unseen') && box(one).width > 1;
    const shown = [...document.querySelectorAll('.room')].filter(seen);
    const room = shown[0];
    const paint = document.createElement('canvas').getContext('2d',
        {willReadFrequently: true});
    const known = {};
    const rgba = colour => known[colour] ??= (() => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    })();
    const ground = one => {
        for (; one; one = one.parentElement) {
            const colour = rgba(getComputedStyle(one).backgroundColor);
            if (colour[3] === 255)
                return colour;
        }
        return [255, 255, 255, 255];
    };
    const light = colour => {
        const [r, g, b] = colour.slice(0, 3).map(part =>
            (part /= 255) <= .04045 ? part / 12.92
                : ((part + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b;
    };
    const contrast = one => {
        const both = [light(rgba(getComputedStyle(one).color)),
                      light(ground(one))].sort((a, b) => b - a);
        return (both[0] + .05) / (both[1] + .05);
    };
    const has_text = one => [...one.childNodes].some(
        node => node.nodeType === 3 && node.data.trim());
    const parts = !all ? [] : [...document.querySelectorAll(
        'body > :not(main), body > :not(main) *, .room.shown *')].filter(seen);
    const words = one => one.tagName + '.' + one.className + ' "'
        + one.textContent.trim().slice(0, 30) + '"';
    const texts = parts.filter(one => has_text(one) && !one.disabled &&
        !one.closest('.later'));
    const title = room.querySelector('h2');
    title.scrollIntoView({block: 'center'});
    const middle = document.elementFromPoint(
        (box(title).left + box(title).right) / 2,
        (box(title).top + box(title).bottom) / 2);
    const result = {
        shown: shown.map(one => one.id),
        hit: room.contains(middle),
        title: title.textContent,
        tile: [...document.querySelectorAll('.way [aria-current]')].map(
            one => one.hash.slice(1)),
        width: document.documentElement.scrollWidth,
        outside: parts.filter(one => box(one).left < -.5 ||
            box(one).right > innerWidth + .5).map(words),
        pale: texts.filter(one => contrast(one) < CONTRAST).map(
            one => words(one) + ' ' + contrast(one).toFixed(2)),
        stacks: [...room.querySelectorAll('.stack')].map(stack => ({
            which: stack.dataset.stack,
            current: stack.classList.contains('current'),
            left: box(stack).left, right: box(stack).right,
            top: box(stack).top,
            arrows: [...stack.querySelectorAll('.arrow b')].map(one => [
                one.closest('tr').dataset.address,
                one.classList.contains('waiting')]),
            slots: [...stack.querySelectorAll('.slot')].map(one => [
                one.dataset.address, one.querySelector('.by').textContent,
                one.querySelector('.value').textContent,
                one.classList.contains('here'),
                seen(one) ? box(one).top : null, box(one).height]),
        })),
        rows: Object.fromEntries([...room.querySelectorAll('[data-key]')].map(
            one => [one.dataset.key, [
                one.querySelector('.is').textContent,
                one.classList.contains('changed')]])),
        lines: [...room.querySelectorAll('.code .text, .calls .text')].map(
            one => one.textContent),
        current: [...room.querySelectorAll('.code [aria-current]')].map(
            one => +one.dataset.line),
    };
    scrollTo(0, 0);
    return result;
})'''.replace('CONTRAST', str(CONTRAST))


def look(page, all_of_it=True):
    """What is on the screen; all_of_it: with boxes and colours."""
    return page.run(f'{LOOK}({str(all_of_it).lower()})')


def read(folder):
    with open(os.path.join(folder, 'walk.json'), encoding='utf-8') as file:
        return json.load(file)


def shape(value):
    """The name of a thing without what differs from run to run."""
    return value.partition('+')[0]


def structure(walk):
    """What a BIOS and a UEFI run of one call have in common."""
    return [{
        'room': room['room'], 'title': room['title'],
        'symbol': room['symbol'], 'file': room['file'],
        'ring': room['ring'], 'roles': room['roles'],
        'code': [(line['label'], line['text'].split()[:1], line['file'],
                  line['line']) for line in room['code']],
        'calls': [(call['name'], call['depth']) for call in room['calls']],
        'decided': [(one['kind'], one['name']) for one in room['decided']],
        'stacks': {which: stack and {
            'current': stack['current'],
            'slots': [(slot['name'], slot['writer'], slot['by'])
                      for slot in stack['slots']]}
            for which, stack in room['stacks'].items()},
    } for room in walk['rooms']]


def check_stack(picture, stack, room, rooms):
    """A stack of the page against the one in walk.json."""
    assert picture['current'] == stack['current']
    assert picture['arrows'] == [[stack['pointer'], not stack['current']]]
    wanted = [[slot['address'],
               '·' if slot['writer'] is None else
               str(rooms[slot['writer']]['room']),
               slot['value'].removeprefix('0x').lower(),
               slot['writer'] == room['index']] for slot in stack['slots']]
    assert [slot[:4] for slot in picture['slots']] == wanted
    tops = [slot[4] for slot in picture['slots'] if slot[4] is not None]
    assert tops == sorted(tops) and len(set(tops)) == len(tops)
    visible = {slot[0] for slot in picture['slots'] if slot[4] is not None}
    assert stack['pointer'] in visible | {stack['top']} or \
        stack['pointer'] not in {slot[0] for slot in picture['slots']}


def check_room(look, walk, index, width):
    room = walk['rooms'][index]
    assert len(look['shown']) == 1 and look['hit'], look['shown']
    assert room['title'] in look['title']
    assert look['tile'] == look['shown']
    assert look['width'] <= width
    assert not look['outside'], look['outside']
    assert not look['pale'], look['pale']
    assert look['lines'] == [call['name'] for call in room['calls']] + \
        [walkpage.spoken(line) for line in room['code']]
    assert look['current'] == ([len(room['code']) - 1] if room['code']
                               else [])
    for name in walkschema.LONGS[:17]:
        value, changed = look['rows'][name]
        assert value == room['after'][name].removeprefix('0x').lower()
        assert changed == (room['before'][name] != room['after'][name])
    stacks = {which: stack for which, stack in room['stacks'].items()
              if stack}
    assert [picture['which'] for picture in look['stacks']] == list(stacks)
    for picture, stack in zip(look['stacks'], stacks.values()):
        check_stack(picture, stack, room, walk['rooms'])
    heights = {slot[5] for picture in look['stacks']
               for slot in picture['slots'] if slot[4] is not None}
    assert len(heights) <= 1, heights
    if width >= 1280 and len(look['stacks']) == 2:
        one, other = look['stacks']
        assert one['right'] <= other['left'] and one['top'] == other['top']


def check_screens(browser, folder, walk):
    """Every room, on a phone and a desk; returns the ids."""
    path = os.path.join(folder, 'index.html')
    for width, scheme in SCREENS:
        page = browser.open(path, width, HEIGHT, scheme)
        seen = []
        for index in range(len(walk['rooms'])):
            room = look(page)
            check_room(room, walk, index, width)
            seen += room['shown']
            page.key('ArrowRight')
        assert len(set(seen)) == len(walk['rooms'])
    picture = page.picture()
    assert picture.startswith(b'\x89PNG') and len(picture) > 10000
    assert page.complaints == []
    return seen


def check_paper(browser, folder, walk):
    """All rooms on paper, light although the screen is dark."""
    page = browser.open(os.path.join(folder, 'index.html'), scheme='dark')
    page.key('ArrowDown')
    paper = page.paper()
    assert paper.startswith(b'%PDF')
    pages = paper.count(b'/Type /Page\n')
    assert len(walk['rooms']) <= pages <= 3 * len(walk['rooms']), pages
    page.scheme('dark', 'print')
    assert page.run('''[...document.querySelectorAll('.room')].map(one =>
        [one.checkVisibility(), getComputedStyle(one).breakBefore])''') == [
            [True, 'page' if index else 'auto']
            for index in range(len(walk['rooms']))]
    assert page.run('getComputedStyle(document.body).backgroundColor') == \
        'rgb(255, 255, 255)'
    assert look(page, all_of_it=False)['current'] == [
        len(walk['rooms'][0]['code']) - 1]
    assert page.complaints == []


def check_page(browser, folder, paper=True):
    """All of it; returns the rooms' ids. Printing takes most of the time."""
    walk = read(folder)
    assert walkschema.first_complaint(walk) is None
    ids = check_screens(browser, folder, walk)
    if paper:
        check_paper(browser, folder, walk)
    return ids

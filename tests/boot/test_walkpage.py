"""The page of a walk, in a browser; the walk is made up (walksample.py)."""
import json
import os
import subprocess
import sys

import pytest

import walkcheck
from conftest import ROOT
from ntwalk import walkpage, walkschema
from walksample import sample

SCRIPT = os.path.join(ROOT, 'scripts/ntwalk/walkpage.py')
REGISTERS = walkschema.LONGS[:17]


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    """Two walks, with an APC and without, and their pages."""
    result = {}
    for apc in (False, True):
        folder = str(tmp_path_factory.mktemp('walk'))
        walkpage.write(sample(apc), folder)
        result[apc] = folder
    return result


@pytest.fixture
def page(browser, folders):
    """The shorter walk, at room 2, the line at its end."""
    page = browser.open(os.path.join(folders[False], 'index.html'),
                        where='#room-2')
    yield page
    assert page.complaints == []


def text(page, selector):
    return page.run(f'document.querySelector({json.dumps(selector)})'
                    '.textContent')


def where(page):
    return page.run('location.hash')


def look(page):
    return walkcheck.look(page, all_of_it=False)


@pytest.mark.parametrize('apc', [False, True])
def test_pages(browser, folders, apc):
    ids = walkcheck.check_page(browser, folders[apc], paper=not apc)
    assert ids[:4] == ['room-1', 'room-2', 'room-3', 'room-4']
    assert ('room-5-2' in ids) == apc


def test_two_runs_of_one_structure():
    bios = sample()
    uefi = sample(firmware='UEFI', loader='BOOTX64.EFI')
    assert walkcheck.structure(bios) == walkcheck.structure(uefi)
    uefi['rooms'][1]['stacks']['kernel']['slots'].pop()
    assert walkcheck.structure(bios) != walkcheck.structure(uefi)


def test_keys(page):
    for key, place in (('ArrowRight', '#room-3'), ('ArrowLeft', '#room-2'),
                       ('1', '#room-1-2'), ('1', '#room-1'),
                       ('ArrowLeft', '#room-1'), ('9', '#room-1'),
                       ('0', '#room-0'), ('ArrowRight', '#room-0')):
        page.key(key)
        assert where(page) == place, key
        assert look(page)['shown'] == [place[1:]]


def test_buttons(page):
    page.run('document.querySelector("[data-by=\'1\']").click()')
    assert look(page)['shown'] == ['room-3']
    assert text(page, '.pager output').startswith('3 of 7')
    page.run('new Promise(done => { addEventListener("hashchange", done);'
             ' document.querySelector(".way a[href=\'#room-0\']").click(); })'
             '.then(() => 0)')
    assert look(page)['shown'] == ['room-0']
    assert page.run('[...document.querySelectorAll(".pager button")].map('
                    'one => one.disabled)') == [False, True]


def test_a_hash_that_is_no_room(browser, folders):
    page = browser.open(os.path.join(folders[False], 'index.html'),
                        where='#%22nowhere')
    assert look(page)['shown'] == ['room-1']
    assert page.complaints == []


def test_lines(page):
    """Each line shows the registers and the stack as they were after it."""
    room = sample()['rooms'][1]
    state = dict(room['before'])
    for number, line in enumerate(room['code']):
        page.key('ArrowDown')
        state |= line['changed']
        now = look(page)
        assert now['current'] == [number]
        assert {name: now['rows'][name][0] for name in REGISTERS} == {
            name: state[name][2:] for name in REGISTERS}
        assert now['rows']['ring'][0] == str(int(state['cs'], 16) & 3)
        later = page.run('[...document.querySelectorAll(".shown .later'
                         '[data-address]")].map(one => one.dataset.address)')
        assert later == [slot['address'] for slot
                         in room['stacks']['kernel']['slots']
                         if slot.get('step', -1) > number
                         and slot['writer'] == room['index']]
        arrows = [place for stack in now['stacks']
                  for place, waiting in stack['arrows'] if not waiting]
        assert arrows == [state['rsp']]
    page.key('ArrowDown')
    assert look(page)['current'] == [0]
    page.key('ArrowUp')
    assert look(page)['current'] == [len(room['code']) - 1]


def test_how_lines_are_spelled(page):
    lines = look(page)['lines']
    assert 'mov [PCR(UserRsp)], rsp' in lines
    assert text(page, '.shown .plain') == 'mov QWORD PTR gs:0x10,rsp'
    page.key('5')
    assert 'mov r11,gs:0x188' in look(page)['lines']
    assert 'test byte [r11+0xc2],0x3' in look(page)['lines']


def test_a_line_that_is_clicked(page):
    page.run('document.querySelector(".shown [data-line=\'3\']").click()')
    assert look(page)['current'] == [3]
    assert page.run('document.activeElement.dataset.line') == '3'
    assert text(page, '.shown .after').startswith('After line 4 of')
    page.key('ArrowRight')
    page.key('ArrowLeft')
    assert look(page)['current'] == [3]


def test_folded_slots(page):
    button = 'document.querySelector(".shown [aria-expanded]")'
    before = page.run('document.documentElement.scrollHeight')
    assert '12 slots' in page.run(button + '.textContent')
    hidden = '.shown .folded .slot'
    seen = f'document.querySelector("{hidden}").checkVisibility()'
    assert page.run(seen) is False
    page.run(button + '.click()')
    assert page.run(seen) is True
    assert page.run(button + '.getAttribute("aria-expanded")') == 'true'
    assert page.run('document.documentElement.scrollHeight') >= before
    now = look(page)
    heights = {slot[5] for stack in now['stacks'] for slot in stack['slots']
               if slot[4] is not None}
    assert len(heights) == 1


def test_light_and_dark(page):
    colour = 'getComputedStyle(document.body).backgroundColor'
    light = page.run(colour)
    page.run('document.querySelector(".theme").click()')
    dark = page.run(colour)
    assert dark != light and text(page, '.theme') == 'Light'
    page.run('document.querySelector(".theme").click()')
    assert page.run(colour) == light
    page.scheme('dark')
    assert page.run(colour) == light


def test_without_script(browser, folders):
    page = browser.open(os.path.join(folders[False], 'index.html'),
                        width=360, scripts=False)
    page.scripts(True)
    assert page.run('document.documentElement.className') == ''
    assert page.run('[...document.querySelectorAll(".room, .slot")].every('
                    'one => one.checkVisibility())')
    assert page.run('document.documentElement.scrollWidth') == 360


def test_strings_stay_strings(page, folders):
    assert page.run('document.querySelectorAll("main b, main i").length > 0')
    assert '<b>1234</b> & finds' in text(page, '#room-4 .summary')
    assert text(page, '#room-4 .calls li:nth-child(3) .text') == \
        'nt!ExpLookup<T>'
    walk = sample(loader='</script><script>alert(1)//', cpu='a&b"')
    walk['rooms'][0]['title'] = '</script><!--'
    assert walkpage.page(walk).count('<script') == 3
    assert '</script><!--' not in walkpage.page(walk)


def test_nothing_is_fetched(folders):
    with open(os.path.join(folders[True], 'index.html'),
              encoding='utf-8') as file:
        text_ = file.read()
    for word in ('http:', 'https:', '@import', 'url(', 'src='):
        assert word not in text_, word
    assert "default-src 'none'" in text_


def test_no_registers_between_lines(browser, tmp_path):
    """A collector need not look after each line; then rows stay."""
    walk = sample()
    for room in walk['rooms']:
        for line in room['code']:
            del line['changed']
    walkpage.write(walk, str(tmp_path))
    page = browser.open(str(tmp_path / 'index.html'), where='#room-2')
    before = look(page)['rows']
    page.key('ArrowDown')
    assert look(page)['current'] == [0]
    assert look(page)['rows'] == before
    assert page.complaints == []


def test_what_is_no_walk(tmp_path):
    good = sample()
    bad = {
        'schema': {**good, 'schema': 2},
        'rooms': {**good, 'rooms': []},
        'door is': {**good, 'door': 'call'},
        'walk.extra': {**good, 'extra': 1},
        'walk.number is': {**good, 'number': '0xf'},
        'no object': [],
    }
    for words, walk in bad.items():
        assert words in walkschema.first_complaint(walk)
    walk = sample()
    walk['rooms'][2]['stacks']['user']['slots'][1]['writer'] = 3
    assert 'a room to come' in walkschema.first_complaint(walk)
    del walk['rooms'][4]['after']['rsp']
    assert walkschema.first_complaint(walk) == \
        'walk.rooms[4].after.rsp is missing'


def test_as_a_program(tmp_path):
    good, half = tmp_path / 'good.json', tmp_path / 'half.json'
    good.write_text(json.dumps(sample()))
    half.write_text('{"schema":')
    for words, complaint in (
            ([], 'usage: '),
            ([tmp_path / 'none', tmp_path], 'No such file'),
            ([half, tmp_path], 'no JSON'),
            ([good, good], 'File exists')):
        done = subprocess.run([sys.executable, SCRIPT, *words], check=False,
                              capture_output=True, text=True)
        assert done.returncode == 1 and complaint in done.stderr
        assert done.stderr.startswith('walkpage: ')
        assert done.stderr.count('\n') == 1
    subprocess.run([sys.executable, SCRIPT, good, tmp_path / 'out'],
                   check=True)
    assert walkcheck.read(tmp_path / 'out') == sample()

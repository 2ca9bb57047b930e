"""The tours, chapter by chapter: what each shows, as tour/ knows it.

One machine serves all chapters.
"""
import pytest

from conftest import BUILD
from ntwalk import symbols
from tour import apcs, exception, instrument, machine, page
from tour.text import chapter, closed


def to_the_end(run, *args, **options):
    result = run(*args, build=BUILD, timeout=120, **options)
    assert result.status == 0, result.reason
    assert 'The tour ends well' in result.console
    return result.console


@pytest.mark.parametrize('options', [
    {'cpu': 'intel'}, {'cpu': 'amd'}, {'icount': True},
    {'options': ['doors=int2e', 'pagefile=0']}, {'emulator': 'bochs'},
], ids=str)
def test_tour(run, options):
    console = to_the_end(run, **options)
    known = symbols.of_kernel(BUILD).get
    apcs.check(console, known)
    exception.check(console, known)
    page.check(console, True, 'options' not in options)
    instrument.check(console, True, 'options' in options)
    machine.check(console)


def test_tour_without_debugging(run):
    console = to_the_end(run, options=['debug=off'])
    apcs.check(console, None)
    exception.check(console, None)
    page.check(console, False)
    instrument.check(console, False)
    machine.check(console)
    for title in ('The way back', 'An exception', 'A page',
                  'Who calls'):
        assert closed(chapter(console, title)), title


@pytest.mark.parametrize('cpu, door', [
    ('intel', 'sysenter'), ('intel', 'int2e'), ('amd', 'int2e')])
def test_tour_of_32_bit_code(run, cpu, door):
    console = to_the_end(run, 'tour32.exe', cpu=cpu,
                         options=[f'xpdoor={door}'])
    apcs.check32(console)
    exception.check32(console)

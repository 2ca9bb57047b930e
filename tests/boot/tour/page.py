"""Chapter 6: a page, by its entry at each step and the faults it costs."""
import re

from .text import chapter

VALID, DIRTY1, DIRTY, COPY, PROTOTYPE, TRANSITION, WRITE = (
    1 << bit for bit in (0, 1, 6, 9, 10, 11, 11))
DIRTIES = DIRTY1 | DIRTY


def frame(entry):
    return entry >> 12 & 0xFFFFFFFFF


def steps(text, is_open):
    """[(step, entry or None, faults)] in their order."""
    entry = r'([0-9A-F]{16})' if is_open else '()'
    rows = re.findall(rf'^   (\w[\w ]{{3,19}}?) +{entry}(?:  )?'
                      r'(no fault|\d fault.*|)$', text, re.M)
    return [(step, int(pte, 16) if pte else None, faults)
            for step, pte, faults in rows]


def check_private(rows):
    untouched, clean, dirty, again = (row[1] for row in rows)
    assert not untouched & (VALID | PROTOTYPE | TRANSITION)
    assert untouched >> 5 & 0x1F == 4 and untouched >> 32 == 0
    assert clean & (VALID | WRITE | DIRTIES) == VALID | WRITE
    assert dirty == again == clean | DIRTIES


def check_copy(rows):
    shared, untouched, reading, copy = (row[1] for row in rows)
    assert not untouched & VALID and untouched & PROTOTYPE
    assert reading & (VALID | COPY | WRITE | DIRTIES) == VALID | COPY
    assert frame(reading) == frame(shared) != frame(copy)
    assert copy & (VALID | COPY | WRITE | DIRTIES) == VALID | WRITE | DIRTIES


def check_trimmed(rows, before):
    """In transition and back; then, with a page file, there and back."""
    out, back = (row[1] for row in rows[:2])
    assert out & (VALID | PROTOTYPE | TRANSITION) == TRANSITION
    assert out >> 5 & 0x1F == 4
    assert frame(out) == frame(back) == frame(before)
    assert back == before & ~DIRTIES
    if rows[2:]:
        out, back = (row[1] for row in rows[2:])
        assert out & 0xFFFFFFFF == 4 << 5 and out >> 32 != 0
        assert back & (VALID | WRITE | DIRTIES) == VALID | WRITE


PRIVATE = [('never touched', ''), ('read', '1 fault, demand zero'),
           ('written', '1 fault'), ('written again', 'no fault')]
VIEWS = [('A written', '1 fault, demand zero, transition'),
         ('B never touched', ''), ('B read', '1 fault'),
         ('B written', '1 fault, copy on write')]
TRIMMED = [('trimmed', ''), ('read', '1 fault, transition')]
PAGED = [('given up', ''), ('read', '1 fault, page read')]
HAS = 'it has 2222222222222222, as before'


def check(console, is_open, has_page_file=True):
    text = chapter(console, 'A page')
    parts = re.split(r'^ 6\.\d ', text, flags=re.M)
    private, views, trimmed = (steps(part, is_open) for part in parts[1:])
    for rows, wanted in ((private, PRIVATE), (views, VIEWS),
                         (trimmed, TRIMMED + PAGED * has_page_file)):
        assert [(step, faults) for step, _, faults in rows] == [
            row for row in wanted if is_open or row[1]]
    assert 'now A has 1111111111111111, B 2222222222222222' in text
    assert HAS in parts[3]
    assert ('There is no page file' in parts[3]) == (not has_page_file)
    if not is_open:
        return
    page, entry = (int(word, 16) for word in re.search(
        r'^   page (\w+),.*\n   its entry: (\w+) in', text, re.M).groups())
    assert (entry - (page >> 9)) % (1 << 39) == 0
    check_private(private)
    check_copy(views)
    check_trimmed(trimmed, private[-1][1])

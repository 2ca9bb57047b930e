"""What the chapters' checkers share: a chapter's text, its rows of fields."""
import re


def chapter(console, title):
    """From "N. title" up to the next chapter."""
    at = re.search(r'^\d\. ' + re.escape(title) + r'\b', console, re.M)
    assert at, title
    rest = console[at.end():]
    end = re.search(r'^(\d\. |The tour ends)', rest, re.M)
    return rest[:end.start()] if end else rest


def fields(text):
    """The rows "address +offset name value": name -> (address, offset)."""
    return {name: (int(address, 16), int(offset, 16))
            for address, offset, name in re.findall(
                r'^   ([0-9A-F]+)  \+([0-9A-F]{3}) +(\w+)', text, re.M)}


def check_offsets(rows, base, wanted):
    for name, offset in wanted.items():
        assert rows[name][1] == offset, name
        assert rows[name][0] == base + offset, name


def closed(text):
    """debug=off: nothing of the kernel's is shown."""
    return not re.search(r'KTHREAD|KPROCESS|KAPC|KTRAP|State|\bFFFFF', text)

"""flame.py: a flame graph as one SVG file.

A box for every stack of callers, as wide as what was counted in it and above
it; callees stand on their callers. Boxes too narrow to see are left out. The
numbers are in each box's title, which browsers show under the mouse, and in
data-count, so that the few lines of script can lay the boxes out anew when one
is clicked. Without script it is a picture.
"""
from xml.sax.saxutils import escape, quoteattr

WIDTH = 1200
ROW = 17
HEAD = 46
FOOT = 26
NARROWEST = 0.1
LETTER = 6.6                            # of 11 px monospace

# room: (on white, on black)
COLOURS = {
    '1': ('#f2b36b', '#9a5f16'), '2': ('#ee8a72', '#9c3f28'),
    '3': ('#e880a8', '#933257'), '4': ('#b79ae6', '#5f3fa0'),
    '5': ('#86a8ee', '#30539c'), '6': ('#6fc6d6', '#1d6f80'),
    '7': ('#7fcf9a', '#24733f'), 'ring 3': ('#cfdc8a', '#626d1a'),
    'service': ('#e3d0f5', '#43345c'), 'exceptions': ('#e5c3b4', '#6d4a3a'),
    'interrupts': ('#c3cbd3', '#4a545e'), 'system': ('#dcdcd4', '#4b4b43'),
    'no symbol': ('#f6f6f6', '#2b2b2b'),
}

STYLE = '''
svg { background: #ffffff; font: 11px monospace; }
text { fill: #101010; }
.head { font-size: 15px; font-weight: bold; }
.box { cursor: pointer; }
.box rect { stroke: #ffffff; stroke-width: 0.5; }
.box:hover rect { stroke: #101010; stroke-width: 1; }
.box text { pointer-events: none; }
'''
DARK = '''
svg { background: #16181b; }
text { fill: #f0f0f0; }
.box rect { stroke: #16181b; }
.box:hover rect { stroke: #f0f0f0; }
'''

# A click widens a box to the whole picture, those it stands on with it, and
# hides the rest. A click on the bottom one, or Escape, shows everything.
SCRIPT = '''
(function () {
  var svg = document.documentElement;
  var boxes = Array.prototype.slice.call(svg.querySelectorAll('.box'));
  var full = WIDTH;
  function number(box, name) {
    return parseFloat(box.getAttribute('data-' + name));
  }
  function place(box, x, width) {
    var rect = box.querySelector('rect'), text = box.querySelector('text');
    var name = box.getAttribute('data-name');
    var letters = Math.floor((width - 6) / LETTER);
    rect.setAttribute('x', x.toFixed(2));
    rect.setAttribute('width', Math.max(width, 0.05).toFixed(2));
    text.setAttribute('x', (x + 3).toFixed(2));
    text.textContent = letters < 3 ? '' : letters < name.length ?
        name.slice(0, letters - 2) + '..' : name;
  }
  function zoom(target) {
    var x = number(target, 'x'), width = number(target, 'width');
    var depth = number(target, 'depth');
    boxes.forEach(function (box) {
      var own = number(box, 'x'), size = number(box, 'width');
      var below = number(box, 'depth') < depth;
      var shown = below ? own <= x + 1e-6 && own + size >= x + width - 1e-6 :
          own >= x - 1e-6 && own + size <= x + width + 1e-6;
      box.style.display = shown ? '' : 'none';
      if (shown && below) place(box, 0, full);
      else if (shown)
        place(box, (own - x) * full / width, size * full / width);
    });
  }
  boxes.forEach(function (box) {
    box.setAttribute('tabindex', '0');
    box.addEventListener('click', function () { zoom(box); });
    box.addEventListener('keydown', function (event) {
      if (event.key === 'Enter') zoom(box);
    });
  });
  document.addEventListener('keydown', function (event) {
    if (event.key === 'Escape') zoom(boxes[0]);
  });
})();
'''


def css_name(room):
    return 'room' + room if room.isdigit() else room.replace(' ', '-')


def style():
    light, dark = ('\n'.join(
        f'.{css_name(room)} rect, rect.{css_name(room)} '
        f'{{ fill: {colours[i]}; }}' for room, colours in COLOURS.items())
        for i in (0, 1))
    return (STYLE + light + '\n@media (prefers-color-scheme: dark) {' + DARK
            + dark + '\n}\n')


def boxes_of(root):
    """Yields (frame, depth, x, width, whole), callers before callees."""
    pending = [(root, 0, 0.0, ())]
    scale = WIDTH / max(root.total, 1)
    while pending:
        frame, depth, x, path = pending.pop()
        yield frame, depth, x, frame.total * scale, path
        at, above = x, []
        for name in sorted(frame.above):
            child = frame.above[name]
            if child.total * scale >= NARROWEST:
                above.append((child, depth + 1, at, path + (name,)))
            at += child.total * scale
        pending += reversed(above)


def label(name, width):
    letters = int((width - 6) / LETTER)
    if letters < 3:
        return ''
    return name if len(name) <= letters else name[:letters - 2] + '..'


def box(frame, x, y, width, depth, total):
    share = 100 * frame.total / max(total, 1)
    title = f'{frame.name}: {frame.total:,} instructions, {share:.2f} %'
    if frame.count and frame.count != frame.total:
        title += f', {frame.count:,} its own'
    if frame.calls:
        title += f', {frame.calls:,} calls'
    return (f'<g class="box {css_name(frame.room)}" data-depth="{depth}" '
            f'data-x="{x:.4f}" data-width="{width:.4f}" '
            f'data-count="{frame.total}" data-name={quoteattr(frame.name)}>'
            f'<title>{escape(title)}</title>'
            f'<rect x="{x:.2f}" y="{y}" width="{max(width, 0.05):.2f}" '
            f'height="{ROW - 1}"/>'
            f'<text x="{x + 3:.2f}" y="{y + 12}">'
            f'{escape(label(frame.name, width))}</text></g>')


def legend(y):
    x, parts = 4, []
    for room in COLOURS:
        name = f'room {room}' if room.isdigit() else room
        parts.append(f'<rect class="{css_name(room)}" x="{x}" y="{y}" '
                     f'width="10" height="10"/>'
                     f'<text x="{x + 13}" y="{y + 9}">{name}</text>')
        x += 24 + int(len(name) * LETTER)
    return '\n'.join(parts)


def picture(root, title):
    """Returns the SVG text of a Frame and what is above it."""
    boxes = list(boxes_of(root))
    rows = 1 + max(depth for _, depth, *_ in boxes)
    height = HEAD + rows * ROW + FOOT
    script = SCRIPT.replace('WIDTH', str(WIDTH)).replace('LETTER',
                                                         str(LETTER))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<svg xmlns="http://www.w3.org/2000/svg" '
             f'viewBox="0 0 {WIDTH} {height}" width="100%" '
             'preserveAspectRatio="xMidYMin meet">',
             f'<style>{style()}</style>',
             f'<title>{escape(title)}</title>',
             f'<text class="head" x="4" y="19">{escape(title)}</text>',
             '<text x="4" y="36">A box is as wide as the instructions in it '
             'and above it. Click: only this one. Escape: all.</text>']
    for frame, depth, x, width, _ in boxes:
        y = HEAD + (rows - 1 - depth) * ROW
        lines.append(box(frame, x, y, width, depth, root.total))
    lines += [legend(height - FOOT + 10),
              f'<script><![CDATA[{script}]]></script>', '</svg>']
    return '\n'.join(lines) + '\n'

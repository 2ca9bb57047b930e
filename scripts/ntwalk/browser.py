#!/usr/bin/env python3
"""browser.py: headless Chromium, told what to do over two pipes.

usage: browser.py PAGE[#PLACE] PICTURE.png

    with Browser() as browser:
        page = browser.open('build/walk/index.html', 1280, 800)
        page.run('document.title')
        open('page.png', 'wb').write(page.picture())

--remote-debugging-pipe: Chromium reads commands from descriptor 3 and writes
answers and events to 4, each JSON with a zero byte behind it. No port, no
package; nothing but the files that are opened is looked at.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

if __name__ == '__main__':
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))

from ntwalk.errors import Died, Usage                       # noqa: E402

NAMES = ('chromium', 'google-chrome')
OPTIONS = (
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-extensions',
    '--disable-dev-shm-usage', '--hide-scrollbars', '--force-color-profile='
    'srgb', '--remote-debugging-pipe', 'about:blank')
TIMEOUT = 30
PICTURE = 1280, 960             # of a page


def program():
    """Returns Chromium's path, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """The tab; what its console said since it was opened is in complaints."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.complaints, self.seen = [], []
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.ask(f'{domain}.enable')

    def ask(self, method, **words):
        return self.browser.ask(method, words, self.session)

    def event(self, method, words):
        self.seen.append(method)
        if method == 'Runtime.exceptionThrown':
            details = words['exceptionDetails']
            self.complaints.append(details.get('exception', {}).get(
                'description', details['text']))
        elif method == 'Runtime.consoleAPICalled':
            self.complaints.append(f'console.{words["type"]}: '
                                   f'{json.dumps(words["args"])}')
        elif method == 'Log.entryAdded':
            self.complaints.append(words['entry']['text'])
        elif method == 'Network.requestWillBeSent':
            url = words['request']['url']
            if not url.startswith(('file:', 'data:', 'about:')):
                self.complaints.append(f'it asks for {url}')

    def size(self, width, height):
        self.ask('Emulation.setDeviceMetricsOverride', width=width,
                 height=height, deviceScaleFactor=1, mobile=width < 600)

    def scheme(self, name, media=''):
        """light or dark; media: print, or '' for a screen."""
        self.ask('Emulation.setEmulatedMedia', media=media, features=[
            {'name': 'prefers-color-scheme', 'value': name},
            {'name': 'prefers-reduced-motion', 'value': 'reduce'}])

    def scripts(self, on):
        self.ask('Emulation.setScriptExecutionDisabled', value=not on)

    def go(self, url):
        self.seen.clear()
        self.ask('Page.navigate', url=url)
        self.browser.until(lambda: 'Page.loadEventFired' in self.seen)

    def run(self, text):
        """Returns the value of an expression; promises are waited for."""
        answer = self.ask('Runtime.evaluate', expression=text,
                          returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in answer:
            raise AssertionError(answer['exceptionDetails'])
        return answer['result'].get('value')

    def key(self, name):
        text = {'text': name} if len(name) == 1 else {}
        self.ask('Input.dispatchKeyEvent', type='keyDown', key=name, **text)
        self.ask('Input.dispatchKeyEvent', type='keyUp', key=name)

    def picture(self, whole=False):
        """Returns what the screen shows as PNG; whole: below it, too."""
        return base64.b64decode(self.ask(
            'Page.captureScreenshot', captureBeyondViewport=whole)['data'])

    def paper(self):
        """Returns the page as PDF, as it would be printed on A4."""
        return base64.b64decode(self.ask(
            'Page.printToPDF', preferCSSPageSize=True,
            printBackground=True)['data'])


class Browser:
    def __init__(self):
        path = program()
        if not path:
            raise Usage('chromium is missing: run scripts/setup')
        self.folder = tempfile.mkdtemp(prefix='ntwalk-')
        to_child, self.to = os.pipe()
        self.back, from_child = os.pipe()
        # bash puts the pipes where Chromium looks for them; other shells
        # know descriptors of one digit.
        self.process = subprocess.Popen(
            ['bash', '-c', f'exec "$@" 3<&{to_child} 4>&{from_child}', '-',
             path, *OPTIONS, f'--user-data-dir={self.folder}'],
            pass_fds=(to_child, from_child), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.rest, self.number = b'', 0
        self.answers, self.page = {}, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.ask('Browser.close', {})
            self.process.wait(TIMEOUT)
        except (Died, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.folder, ignore_errors=True)

    def receive(self, seconds):
        if not select.select([self.back], [], [], seconds)[0]:
            raise Died(f'Chromium has not answered in {TIMEOUT} s')
        some = os.read(self.back, 1 << 16)
        if not some:
            raise Died('Chromium has ended')
        *whole, self.rest = (self.rest + some).split(b'\0')
        for text in whole:
            message = json.loads(text)
            if 'id' in message:
                self.answers[message['id']] = message
            elif self.page and 'sessionId' in message:
                self.page.event(message['method'], message['params'])

    def until(self, condition):
        end = time.monotonic() + TIMEOUT
        while not condition():
            self.receive(max(0, end - time.monotonic()))

    def ask(self, method, words, session=None):
        self.number += 1
        number = self.number
        message = {'id': number, 'method': method, 'params': words}
        if session:
            message['sessionId'] = session
        os.write(self.to, json.dumps(message).encode() + b'\0')
        self.until(lambda: number in self.answers)
        answer = self.answers.pop(number)
        if 'error' in answer:
            raise Died(f'{method}: {answer["error"]["message"]}')
        return answer['result']

    def first_page(self):
        target = self.ask('Target.createTarget', {'url': 'about:blank'})
        session = self.ask('Target.attachToTarget', {
            'targetId': target['targetId'], 'flatten': True})['sessionId']
        return Page(self, session)

    def open(self, path, width=1280, height=800, scheme='light', where='',
             scripts=True):
        """Returns the Page with a file in it; the one before is gone."""
        page = self.page = self.page or self.first_page()
        page.complaints.clear()
        page.size(width, height)
        page.scheme(scheme)
        page.scripts(scripts)
        page.go('about:blank')
        page.go('file://' + os.path.abspath(path) + where)
        return page


def main(words):
    if len(words) != 2:
        raise Usage('usage: browser.py PAGE[#PLACE] PICTURE.png')
    path, mark, place = words[0].partition('#')
    if not os.path.exists(path):
        raise Usage(f'{path}: No such file or directory')
    with Browser() as browser:
        page = browser.open(path, *PICTURE, where=mark + place)
        with open(words[1], 'wb') as file:
            file.write(page.picture())


if __name__ == '__main__':
    try:
        main(sys.argv[1:])
    except (Died, Usage) as wrong:
        sys.exit(f'browser: {wrong}')
    except OSError as error:
        sys.exit(f'browser: {error.filename}: {error.strerror}')

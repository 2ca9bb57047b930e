"""A keyboard on USB, by an xHCI controller: typed at, pulled, plugged again.

The machine has no other keyboard, so what the shell reads came that way.
"""
import pytest

from conftest import BUILD
from shell import Shell

CONTROLLER = 'qemu-xhci,id=xhci'
KEYBOARD = 'usb-kbd,bus=xhci.0,id=keys'
OTHERS = ('usb-tablet,bus=xhci.0', 'usb-hub,bus=xhci.0',
          'usb-storage,bus=xhci.0,drive=stick')
STICK = 'driver=null-co,node-name=stick,read-zeroes=on'
HERE, GONE = r'USB   a keyboard at port \d+\n', r'no keyboard at port \d+ any'


@pytest.fixture(name='boot')
def boot_shell(start):
    """Returns a function that boots the shell on a machine with devices."""
    contexts = []

    def boot(*devices, extra=(), **config):
        words = ['-machine', 'i8042=off', *extra]
        for device in devices:
            words += ['-device', device]
        contexts.append(start('shell', build=BUILD, qemu_args=words,
                              **config))
        return Shell(contexts[-1].__enter__())
    yield boot
    for context in contexts:
        context.__exit__(None, None, None)


def change(shell, key, down):
    """One key goes down or up."""
    shell.machine.monitor_command('input-send-event', events=[
        {'type': 'key', 'data': {
            'down': down, 'key': {'type': 'qcode', 'data': key}}}])


@pytest.mark.parametrize('devices', [
    (CONTROLLER, KEYBOARD),
    (CONTROLLER, KEYBOARD + ',usb_version=1'),
    ('nec-usb-xhci,id=xhci', KEYBOARD),
    ('qemu-xhci,id=first', CONTROLLER, *OTHERS, KEYBOARD)])
def test_keys(boot, devices):
    shell = boot(*devices, extra=['-blockdev', STICK])
    shell.expect(HERE)
    shell.press_line()


def test_on_a_pc_of_today(boot):
    """No BIOS, no serial keyboard of old; the stick is on USB as well."""
    shell = boot('usb-kbd,bus=usb.0', firmware='uefi', media='usb', smp=4)
    shell.expect(HERE)
    shell.press_line()


def test_off(boot):
    shell = boot(CONTROLLER, KEYBOARD, options=['usb=off'])
    shell.expect_prompt()
    assert shell.result('echo on COM1') == 'on COM1'
    assert 'USB ' not in shell.machine.console.replace('USB; off', '')


def test_pulled_and_plugged(boot):
    """Whatever was held is not held any more."""
    shell = boot(CONTROLLER, KEYBOARD)
    shell.expect(HERE)
    shell.press_line()
    change(shell, 'shift', True)
    for _ in range(3):
        shell.machine.monitor_command('device_del', id='keys')
        shell.expect(GONE)
        shell.machine.monitor_command('device_add', driver='usb-kbd',
                                      bus='xhci.0', id='keys')
        shell.expect(HERE)
        shell.press_line()


def test_held(boot):
    """A key that is held types again and again, until another one does."""
    shell = boot(CONTROLLER, KEYBOARD)
    shell.expect(HERE)
    change(shell, 'x', True)
    shell.expect('xxxxx')
    change(shell, 'x', False)
    shell.press('ctrl', 'c')
    shell.expect_prompt()
    shell.press_line()


def test_fast(boot):
    """More keys than the controller has been given buffers for."""
    shell = boot(CONTROLLER, KEYBOARD)
    shell.expect(HERE)
    for _ in range(3):
        shell.press('e')
        for key in 'cho':
            shell.press(key)
        shell.press('spc')
        for key in 'abcdefghijklmnopqrstuvwxyz':
            shell.press(key)
        shell.press('ret')
        shell.expect('\nabcdefghijklmnopqrstuvwxyz\n')
        shell.expect_prompt()

"""Every instruction of the entry code is executed, and that it is noticed when
one is not.

Scenarios: K11.
"""
import os
import sys

import pytest

from conftest import ROOT, TEST_BUILD

sys.path.insert(0, os.path.join(ROOT, 'tests/entry'))

import coverage                                             # noqa: E402
import image as images                                      # noqa: E402


@pytest.fixture(scope='module')
def covered():
    kernel = images.Image(os.path.join(TEST_BUILD, 'ntoskrnl.elf'))
    it = coverage.Coverage(kernel, TEST_BUILD)
    it.run()
    return it


def test_every_instruction_of_the_entry_code(covered):
    wrong, counts = coverage.report(covered)
    print(*wrong, counts, sep='\n')
    assert wrong == []


@pytest.mark.parametrize('symbol', ['KiSystemCall64', 'KiPageFault',
                                    'ki_exit32_sysexit', 'SwapContext'])
def test_what_is_not_executed_is_told(covered, symbol):
    at = covered.kernel.symbols[symbol]
    covered.begun.remove(at)
    try:
        wrong, _ = coverage.report(covered)
    finally:
        covered.begun.add(at)
    assert len(wrong) == 1 and wrong[0].startswith(f'{symbol}: ')


def test_what_is_executed_needs_no_reason(covered):
    at = covered.kernel.symbols['KiServiceLinkage']
    assert at not in covered.begun
    covered.begun.add(at)
    try:
        wrong, _ = coverage.report(covered)
    finally:
        covered.begun.remove(at)
    assert wrong == ['uncovered.txt: KiServiceLinkage | all explains nothing']

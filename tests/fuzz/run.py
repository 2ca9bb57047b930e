#!/usr/bin/env python3
"""run.py: runs fuzz targets side by side for a while.

usage: run.py FOLDER SECONDS TARGET...

SECONDS is shared by the targets. One line tells how each went; a crash is
named by the file that reproduces it. The exit status is 1 then.
"""
import glob
import os
import re
import subprocess
import sys


def start(folder, name, seconds):
    corpus = os.path.join(folder, 'corpus', name)
    os.makedirs(corpus, exist_ok=True)
    log = open(os.path.join(folder, name + '.log'), 'w+', encoding='utf-8',
               errors='replace')
    command = [os.path.join(folder, name), f'-max_total_time={seconds}',
               '-timeout=10', '-rss_limit_mb=2048', '-max_len=16384',
               '-print_final_stats=1',
               f'-artifact_prefix={os.path.join(folder, name)}-',
               corpus, os.path.join(folder, 'seeds', name)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                            stderr=subprocess.STDOUT), log


def finish(folder, name, process, log):
    """Returns whether the target survived, after a line about it."""
    status = process.wait()
    log.seek(0)
    text = log.read()
    log.close()
    runs = re.search(r'number_of_executed_units: (\d+)', text)
    if status == 0:
        print(f'ok   fuzz {name}: {runs.group(1) if runs else "?"} inputs')
        return True
    print(text[-4000:])
    found = re.search(r'Test unit written to (\S+)', text)
    where = found.group(1) if found else os.path.join(folder, name + '.log')
    print(f'FAIL fuzz {name}: status {status}, see {where}\n'
          f'     again: {os.path.join(folder, name)} {where}')
    return False


def main(folder, seconds, names):
    for name in names:
        for old in glob.glob(os.path.join(folder, f'{name}-*')):
            os.remove(old)
    each = max(1, int(seconds) // len(names))
    running = [(name, *start(folder, name, each)) for name in names]
    results = [finish(folder, *run) for run in running]
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))

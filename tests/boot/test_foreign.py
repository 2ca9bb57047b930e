"""Programs and DLLs that were not built by this repository's rules."""
import os
import struct
import subprocess

import pytest

from conftest import BUILD, ROOT

MINGW = {64: 'x86_64-w64-mingw32-gcc', 32: 'i686-w64-mingw32-gcc'}
ENTRY = {64: 'start', 32: '_start@4'}
HOMES = 'db 48h,89h,4Ch,24h,8,48h,89h,54h,24h,10h,' \
        '4Ch,89h,44h,24h,18h,4Ch,89h,4Ch,24h,20h'
STYLES = {
    'win7': ['db 4Ch,8Bh,0D1h', 'mov eax, %2', 'syscall', 'ret', 'align 16'],
    'win8': [HOMES, 'db 4Ch,8Bh,0D1h', 'mov eax, %2', 'syscall', 'ret',
             'align 32'],
    'win10': ['db 4Ch,8Bh,0D1h', 'mov eax, %2',
              'test byte [abs 7FFE0308h], 1', 'jne %%gate', 'syscall', 'ret',
              '%%gate: int 2Eh', 'ret', 'align 32'],
}
# 32-bit stubs of NT 4 and of XP SP3; XP's numbers are not for choosing.
STYLES32 = {
    'nt4': ['mov eax, %2', 'lea edx, [esp + 4]', 'int 2Eh', 'ret %3'],
    'xp': ['mov eax, %2', 'mov edx, 7FFE0300h', 'call [edx]', 'ret %3'],
}
HELLO = r'''
#include <windows.h>
#include <winternl.h>

ULONG DbgPrint(const char *format, ...);

int __stdcall start(void *peb)
{
    DbgPrint("hello, PEB %p\n", peb);
    return NtClose((HANDLE)0x1234) == (NTSTATUS)0xC0000008 ? STATUS : 99;
}
'''
# A worker counts under a lock, waits alertably, and gets three APCs; then the
# first thread queues one to itself. The exit status names the first mistake.
THREADS = r'''
#include <windows.h>
#include <winternl.h>

#define EVENT_ACCESS 0x1F0003
#define THREAD_ACCESS 0x1FFFFF
#define SYNCHRONIZATION_EVENT 1
#define USER_APC 0xC0
#define SELF ((HANDLE)(LONG_PTR)-2)

typedef void (NTAPI *apc_routine)(void *, void *, void *);

NTSTATUS NTAPI NtCreateEvent(HANDLE *, ACCESS_MASK, void *, int, BOOLEAN);
NTSTATUS NTAPI NtSetEvent(HANDLE, LONG *);
NTSTATUS NTAPI NtQueueApcThread(HANDLE, apc_routine, void *, void *, void *);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN, LARGE_INTEGER *);
NTSTATUS NTAPI NtCreateThreadEx(HANDLE *, ACCESS_MASK, void *, HANDLE, void *,
                                void *, ULONG, SIZE_T, SIZE_T, SIZE_T, void *);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE, void *, BOOLEAN, ULONG, SIZE_T,
                                   SIZE_T, void *, void *, HANDLE *, void *);
void NTAPI RtlExitUserThread(NTSTATUS);
NTSTATUS NTAPI RtlInitializeCriticalSection(RTL_CRITICAL_SECTION *);
NTSTATUS NTAPI RtlEnterCriticalSection(RTL_CRITICAL_SECTION *);
NTSTATUS NTAPI RtlLeaveCriticalSection(RTL_CRITICAL_SECTION *);

static RTL_CRITICAL_SECTION lock;
static HANDLE ready, done, stop;
static volatile LONG count, apcs, sum;

static void count_up(void)
{
    for (int i = 0; i < 1000; i++) {
        RtlEnterCriticalSection(&lock);
        count++;
        RtlLeaveCriticalSection(&lock);
    }
}

static void NTAPI apc(void *a, void *b, void *c)
{
    sum += (LONG)(LONG_PTR)a + (LONG)(LONG_PTR)b + (LONG)(LONG_PTR)c;
    if (++apcs == 3)
        NtSetEvent(done, 0);
}

static NTSTATUS NTAPI worker(void *parameter)
{
    NTSTATUS status;

    count_up();
    NtSetEvent(ready, 0);
    do
        status = NtWaitForSingleObject(stop, TRUE, 0);
    while (status == USER_APC);
    RtlExitUserThread(status == 0 && parameter == &count ? 55 : 66);
    return 0;
}

static NTSTATUS new_thread(HANDLE *thread)
{
#ifdef _WIN64
    return NtCreateThreadEx(thread, THREAD_ACCESS, 0, (HANDLE)-1, worker,
                            (void *)&count, 0, 0, 0, 0, 0);
#else
    return RtlCreateUserThread((HANDLE)-1, 0, FALSE, 0, 0, 0, worker,
                               (void *)&count, thread, 0);
#endif
}

int NTAPI start(void *peb)
{
    LARGE_INTEGER minute = { .QuadPart = -600000000 };
    HANDLE thread;
    LONG i;

    RtlInitializeCriticalSection(&lock);
    if (NtCreateEvent(&ready, EVENT_ACCESS, 0, SYNCHRONIZATION_EVENT, 0) ||
        NtCreateEvent(&done, EVENT_ACCESS, 0, SYNCHRONIZATION_EVENT, 0) ||
        NtCreateEvent(&stop, EVENT_ACCESS, 0, SYNCHRONIZATION_EVENT, 0))
        return 1;
    if (new_thread(&thread))
        return 2;
    count_up();
    if (NtWaitForSingleObject(ready, FALSE, 0) || count != 2000)
        return 3;
    for (i = 1; i <= 3; i++)
        if (NtQueueApcThread(thread, apc, (void *)(LONG_PTR)i,
                             (void *)(LONG_PTR)(i * 10), (void *)100))
            return 4;
    if (NtWaitForSingleObject(done, FALSE, 0) || sum != 366)
        return 5;
    NtSetEvent(stop, 0);
    if (NtWaitForSingleObject(thread, FALSE, 0))
        return 6;
    if (NtQueueApcThread(SELF, apc, (void *)1, (void *)2, (void *)3))
        return 7;
    if (NtDelayExecution(TRUE, &minute) != USER_APC || apcs != 4)
        return 8;
    return 77;
}
'''
# NtClose and NtQueryInformationProcess come from the foreign DLL.
CALLER = r'''
#include <windows.h>

__declspec(dllimport) LONG __stdcall NtClose(HANDLE);
__declspec(dllimport) LONG __stdcall NtQueryInformationProcess(
    HANDLE, int, void *, ULONG, ULONG *);

int __stdcall start(void *peb)
{
    void *basic[6] = { 0 };
    ULONG length = 0;

    if (NtClose((HANDLE)0x1234) != (LONG)0xC0000008)
        return 1;
    if (NtQueryInformationProcess((HANDLE)-1, 0, basic, sizeof basic,
                                  &length) != 0 ||
        length != sizeof basic)
        return 2;
    return basic[1] == peb ? 0 : 3;
}
'''
NUMBERS = {'NtClose': 0x0C, 'NtQueryInformationProcess': 0x16}
NUMBERS32 = {'NtClose': (0x19, 4), 'NtQueryInformationProcess': (0x9A, 20)}


def compile_c(tmp_path, name, source, *words, bits=64):
    (tmp_path / (name + '.c')).write_text(source)
    path = str(tmp_path / (name + '.exe'))
    subprocess.run([MINGW[bits], '-O1', '-nostdlib', '-e', ENTRY[bits], '-o',
                    path, str(tmp_path / (name + '.c')), *words], check=True)
    return path


@pytest.mark.parametrize('value, status', [
    (0, 0), (1, 1), (122, 122), (123, 123), (124, 123), (126, 123),
    (127, 123), (128, 128), (255, 255), (256, 123), (0x80000000, 123)])
def test_exit_status(run, tmp_path, value, status):
    path = compile_c(tmp_path, 'hello', HELLO, f'-DSTATUS=(int){value:#x}u',
                     '-lntdll')
    result = run('hello', build=BUILD, add=[path])
    assert (result.status, result.value) == (status, value)
    assert 'hello, PEB 0' in result.console


@pytest.mark.parametrize('value, status', [(0, 0), (77, 77)])
@pytest.mark.parametrize('cpu', ['intel', 'amd'])
def test_32bit(run, tmp_path, value, status, cpu):
    """mingw's own import library, XP's stubs, either door."""
    path = compile_c(tmp_path, 'hello', HELLO, f'-DSTATUS={value}', '-lntdll',
                     bits=32)
    result = run('hello', build=BUILD, add=[path], cpu=cpu)
    assert (result.status, result.value) == (status, value)
    assert 'hello, PEB 7FFD' in result.console


@pytest.mark.parametrize('cpu', ['intel', 'amd'])
@pytest.mark.parametrize('bits', [64, 32])
def test_threads(run, tmp_path, bits, cpu):
    """Threads, events, APCs, alertable waits, locks by mingw's library."""
    path = compile_c(tmp_path, 'threads', THREADS, '-lntdll', bits=bits)
    assert run('threads', build=BUILD, add=[path], cpu=cpu).status == 77


def foreign_dll(tmp_path, style):
    """Builds seven.dll, its stubs in the style of a Windows release."""
    lines = ['default rel', 'section .text', '%macro stub 2', 'global %1',
             '%1:', *STYLES[style], '%endmacro']
    lines += [f'stub {name}, {number:#x}' for name, number in NUMBERS.items()]
    lines += ['global DllMain', 'DllMain: mov eax, 1', 'ret']
    (tmp_path / 'seven.asm').write_text('\n'.join(lines) + '\n')
    subprocess.run(['nasm', '-f', 'win64', 'seven.asm', '-o', 'seven.o'],
                   cwd=tmp_path, check=True)
    (tmp_path / 'seven.def').write_text(
        'EXPORTS\n' + '\n'.join(NUMBERS) + '\n')
    subprocess.run([MINGW[64], '-nostdlib', '-shared', '-e', 'DllMain', '-o',
                    'seven.dll', 'seven.o', 'seven.def',
                    '-Wl,--out-implib,libseven.a'], cwd=tmp_path, check=True)
    return str(tmp_path / 'seven.dll')


@pytest.mark.parametrize('style', STYLES)
def test_foreign_stubs(run, tmp_path, style):
    dll = foreign_dll(tmp_path, style)
    program = compile_c(tmp_path, 'caller', CALLER, f'-L{tmp_path}',
                        '-lseven')
    rows = subprocess.run([os.path.join(ROOT, 'scripts/numbering'), dll],
                          stdout=subprocess.PIPE, check=True).stdout
    assert [line.split() for line in rows.decode().splitlines()] == \
        [[name, f'{number:#06x}'] for name, number in NUMBERS.items()]
    (tmp_path / 'numbers').write_bytes(rows)
    add = [dll, program]
    assert run('caller', build=BUILD, add=add,
               numbering=str(tmp_path / 'numbers')).status == 0
    # By our own numbers the same stubs call something else.
    assert run('caller', build=BUILD, add=add).status != 0


def foreign_dll32(tmp_path, style):
    """Builds old.dll: 32-bit, with a DllMain and its own stubs."""
    lines = ['bits 32', 'section .text', '%macro stub 3', 'global _%1@%3',
             '_%1@%3:', *STYLES32[style], '%endmacro']
    lines += [f'stub {name}, {number:#x}, {size}'
              for name, (number, size) in NUMBERS32.items()]
    lines += ['global _DllMain@12', '_DllMain@12: mov eax, 1', 'ret 12']
    (tmp_path / 'old.asm').write_text('\n'.join(lines) + '\n')
    subprocess.run(['nasm', '-f', 'win32', 'old.asm', '-o', 'old.o'],
                   cwd=tmp_path, check=True)
    names = [f'{name}@{size}' for name, (_, size) in NUMBERS32.items()]
    (tmp_path / 'old.def').write_text('\n'.join(
        ['LIBRARY "old.dll"', 'EXPORTS', *names]) + '\n')
    subprocess.run([MINGW[32], '-nostdlib', '-shared', '-e', '_DllMain@12',
                    '-Wl,--kill-at', '-o', 'old.dll', 'old.o', 'old.def'],
                   cwd=tmp_path, check=True)
    subprocess.run(['i686-w64-mingw32-dlltool', '-k', '-d', 'old.def', '-l',
                    'libold.a'], cwd=tmp_path, check=True)
    return str(tmp_path / 'old.dll')


@pytest.mark.parametrize('cpu', ['intel', 'amd'])
@pytest.mark.parametrize('style', STYLES32)
def test_foreign_stubs_32bit(run, tmp_path, style, cpu):
    dll = foreign_dll32(tmp_path, style)
    program = compile_c(tmp_path, 'caller', CALLER, f'-L{tmp_path}', '-lold',
                        bits=32)
    result = run('caller', build=BUILD, add=[dll, program], cpu=cpu)
    assert result.status == 0
    done = subprocess.run([os.path.join(ROOT, 'scripts/numbering'), dll],
                          stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b'32-bit' in done.stderr


@pytest.mark.parametrize('what', ['cut', 'sections', 'size', 'garbage'])
def test_broken_pe_is_a_status(run, tmp_path, what):
    """The kernel refuses what scripts/boot would not have let pass."""
    with open(os.path.join(BUILD, 'programs/tour.exe'), 'rb') as data:
        image = bytearray(data.read())
    header = struct.unpack_from('<I', image, 0x3C)[0]
    if what == 'cut':
        del image[header + 40:]
    elif what == 'sections':
        struct.pack_into('<H', image, header + 6, 0xFFFF)
    elif what == 'size':
        struct.pack_into('<I', image, header + 24 + 56, 0xFFFFF000)
    else:
        image[header:] = bytes(range(256)) * (len(image[header:]) // 256)
    path = tmp_path / 'broken.exe'
    path.write_bytes(image)
    result = run('broken', build=BUILD, add=[str(path)], check=False)
    assert result.value is not None and result.value >> 28 == 0xC


# Copies its standard input to the console, line by line, until it ends.
COPIER = r'''
#include <windows.h>
#include <winternl.h>

ULONG DbgPrint(const char *format, ...);
NTSTATUS NtReadFile(HANDLE, HANDLE, void *, void *, IO_STATUS_BLOCK *, void *,
                    ULONG, LARGE_INTEGER *, ULONG *);

int start(char *peb)
{
    HANDLE input = *(HANDLE *)(*(char **)(peb + 0x20) + 0x20);
    IO_STATUS_BLOCK io;
    char line[300];
    int count = 0;

    for (;;) {
        if (NtReadFile(input, 0, 0, 0, &io, line, sizeof line, 0, 0) != 0)
            return 99;
        if (io.Information == 0)
            return count;
        DbgPrint("got %.*s", (int)io.Information, line);
        count++;
    }
}
'''


@pytest.mark.parametrize('text, lines, firmware', [
    (b'', 0, 'bios'), (b'one\ntwo\r\nthree', 3, 'bios'),
    (b'x' * 200 + b'\n', 1, 'bios'), (b'many\n' * 50, 50, 'bios'),
    (b'many\n' * 50, 50, 'uefi')],
    ids=['empty', 'ends', 'long', 'many', 'uefi'])
def test_standard_input(tmp_path, text, lines, firmware):
    program = compile_c(tmp_path, 'copier', COPIER, '-lntdll')
    done = subprocess.run(
        ['scripts/boot', '--build', BUILD, '--no-build', '--firmware',
         firmware, '--add', program, 'copier'], input=text, cwd=ROOT,
        stdout=subprocess.PIPE, check=False, timeout=120)
    assert done.returncode == lines
    for line in text.splitlines():
        assert b'got ' + line in done.stdout

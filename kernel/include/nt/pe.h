/*
 * nt/pe.h - ring 0 of the headers: the portable executable file.
 *
 * The same header is read by the kernel, which maps an image, and by ntdll's
 * loader, which binds it.  Names and layouts are winnt.h's.  Everything here
 * is the file's word and may be a lie: an RVA, size or count is checked
 * against SizeOfImage (mapped) or the file's length (on disk) before use.
 */
#pragma once

#include <nt/ntdef.h>

#define IMAGE_DOS_SIGNATURE             0x5A4D          /* "MZ" */
#define IMAGE_NT_SIGNATURE              0x00004550      /* "PE\0\0" */
#define IMAGE_FILE_MACHINE_I386         0x014C
#define IMAGE_FILE_MACHINE_AMD64        0x8664
#define IMAGE_NT_OPTIONAL_HDR32_MAGIC   0x010B
#define IMAGE_NT_OPTIONAL_HDR64_MAGIC   0x020B

typedef struct _IMAGE_DOS_HEADER {
    USHORT e_magic;
    USHORT e_cblp;
    USHORT e_cp;
    USHORT e_crlc;
    USHORT e_cparhdr;
    USHORT e_minalloc;
    USHORT e_maxalloc;
    USHORT e_ss;
    USHORT e_sp;
    USHORT e_csum;
    USHORT e_ip;
    USHORT e_cs;
    USHORT e_lfarlc;
    USHORT e_ovno;
    USHORT e_res[4];
    USHORT e_oemid;
    USHORT e_oeminfo;
    USHORT e_res2[10];
    LONG e_lfanew;                      /* file offset of IMAGE_NT_HEADERS */
} IMAGE_DOS_HEADER;

/* IMAGE_FILE_HEADER.Characteristics */
#define IMAGE_FILE_RELOCS_STRIPPED      0x0001
#define IMAGE_FILE_EXECUTABLE_IMAGE     0x0002
#define IMAGE_FILE_LARGE_ADDRESS_AWARE  0x0020
#define IMAGE_FILE_DLL                  0x2000

typedef struct _IMAGE_FILE_HEADER {
    USHORT Machine;
    USHORT NumberOfSections;
    ULONG TimeDateStamp;
    ULONG PointerToSymbolTable;
    ULONG NumberOfSymbols;
    USHORT SizeOfOptionalHeader;
    USHORT Characteristics;
} IMAGE_FILE_HEADER;

typedef struct _IMAGE_DATA_DIRECTORY {
    ULONG VirtualAddress;
    ULONG Size;
} IMAGE_DATA_DIRECTORY;

#define IMAGE_NUMBEROF_DIRECTORY_ENTRIES 16
#define IMAGE_DIRECTORY_ENTRY_EXPORT    0
#define IMAGE_DIRECTORY_ENTRY_IMPORT    1
#define IMAGE_DIRECTORY_ENTRY_RESOURCE  2
#define IMAGE_DIRECTORY_ENTRY_EXCEPTION 3
#define IMAGE_DIRECTORY_ENTRY_SECURITY  4
#define IMAGE_DIRECTORY_ENTRY_BASERELOC 5
#define IMAGE_DIRECTORY_ENTRY_DEBUG     6
#define IMAGE_DIRECTORY_ENTRY_TLS       9
#define IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG 10
#define IMAGE_DIRECTORY_ENTRY_BOUND_IMPORT 11
#define IMAGE_DIRECTORY_ENTRY_IAT       12
#define IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT 13

/* IMAGE_OPTIONAL_HEADER64.Subsystem */
#define IMAGE_SUBSYSTEM_NATIVE          1
#define IMAGE_SUBSYSTEM_WINDOWS_GUI     2
#define IMAGE_SUBSYSTEM_WINDOWS_CUI     3

/* IMAGE_OPTIONAL_HEADER64.DllCharacteristics */
#define IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA 0x0020
#define IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE 0x0040
#define IMAGE_DLLCHARACTERISTICS_NX_COMPAT 0x0100

typedef struct _IMAGE_OPTIONAL_HEADER64 {
    USHORT Magic;                               /* 00 */
    UCHAR MajorLinkerVersion;                   /* 02 */
    UCHAR MinorLinkerVersion;                   /* 03 */
    ULONG SizeOfCode;                           /* 04 */
    ULONG SizeOfInitializedData;                /* 08 */
    ULONG SizeOfUninitializedData;              /* 0c */
    ULONG AddressOfEntryPoint;                  /* 10 */
    ULONG BaseOfCode;                           /* 14 */
    ULONGLONG ImageBase;                        /* 18 */
    ULONG SectionAlignment;                     /* 20 */
    ULONG FileAlignment;                        /* 24 */
    USHORT MajorOperatingSystemVersion;         /* 28 */
    USHORT MinorOperatingSystemVersion;         /* 2a */
    USHORT MajorImageVersion;                   /* 2c */
    USHORT MinorImageVersion;                   /* 2e */
    USHORT MajorSubsystemVersion;               /* 30 */
    USHORT MinorSubsystemVersion;               /* 32 */
    ULONG Win32VersionValue;                    /* 34 */
    ULONG SizeOfImage;                          /* 38 */
    ULONG SizeOfHeaders;                        /* 3c */
    ULONG CheckSum;                             /* 40 */
    USHORT Subsystem;                           /* 44 */
    USHORT DllCharacteristics;                  /* 46 */
    ULONGLONG SizeOfStackReserve;               /* 48 */
    ULONGLONG SizeOfStackCommit;                /* 50 */
    ULONGLONG SizeOfHeapReserve;                /* 58 */
    ULONGLONG SizeOfHeapCommit;                 /* 60 */
    ULONG LoaderFlags;                          /* 68 */
    ULONG NumberOfRvaAndSizes;                  /* 6c */
    IMAGE_DATA_DIRECTORY DataDirectory[IMAGE_NUMBEROF_DIRECTORY_ENTRIES];
} IMAGE_OPTIONAL_HEADER64;

/* The same before ImageBase and from SectionAlignment to DllCharacteristics. */
typedef struct _IMAGE_OPTIONAL_HEADER32 {
    USHORT Magic;                               /* 00 */
    UCHAR MajorLinkerVersion;                   /* 02 */
    UCHAR MinorLinkerVersion;                   /* 03 */
    ULONG SizeOfCode;                           /* 04 */
    ULONG SizeOfInitializedData;                /* 08 */
    ULONG SizeOfUninitializedData;              /* 0c */
    ULONG AddressOfEntryPoint;                  /* 10 */
    ULONG BaseOfCode;                           /* 14 */
    ULONG BaseOfData;                           /* 18 */
    ULONG ImageBase;                            /* 1c */
    ULONG SectionAlignment;                     /* 20 */
    ULONG FileAlignment;                        /* 24 */
    USHORT MajorOperatingSystemVersion;         /* 28 */
    USHORT MinorOperatingSystemVersion;         /* 2a */
    USHORT MajorImageVersion;                   /* 2c */
    USHORT MinorImageVersion;                   /* 2e */
    USHORT MajorSubsystemVersion;               /* 30 */
    USHORT MinorSubsystemVersion;               /* 32 */
    ULONG Win32VersionValue;                    /* 34 */
    ULONG SizeOfImage;                          /* 38 */
    ULONG SizeOfHeaders;                        /* 3c */
    ULONG CheckSum;                             /* 40 */
    USHORT Subsystem;                           /* 44 */
    USHORT DllCharacteristics;                  /* 46 */
    ULONG SizeOfStackReserve;                   /* 48 */
    ULONG SizeOfStackCommit;                    /* 4c */
    ULONG SizeOfHeapReserve;                    /* 50 */
    ULONG SizeOfHeapCommit;                     /* 54 */
    ULONG LoaderFlags;                          /* 58 */
    ULONG NumberOfRvaAndSizes;                  /* 5c */
    IMAGE_DATA_DIRECTORY DataDirectory[IMAGE_NUMBEROF_DIRECTORY_ENTRIES];
} IMAGE_OPTIONAL_HEADER32;

typedef struct _IMAGE_NT_HEADERS32 {
    ULONG Signature;
    IMAGE_FILE_HEADER FileHeader;
    IMAGE_OPTIONAL_HEADER32 OptionalHeader;
} IMAGE_NT_HEADERS32;

typedef struct _IMAGE_NT_HEADERS64 {
    ULONG Signature;
    IMAGE_FILE_HEADER FileHeader;
    IMAGE_OPTIONAL_HEADER64 OptionalHeader;
} IMAGE_NT_HEADERS64;

#define IMAGE_SIZEOF_SHORT_NAME 8

/* IMAGE_SECTION_HEADER.Characteristics */
#define IMAGE_SCN_CNT_CODE              0x00000020
#define IMAGE_SCN_CNT_INITIALIZED_DATA  0x00000040
#define IMAGE_SCN_CNT_UNINITIALIZED_DATA 0x00000080
#define IMAGE_SCN_MEM_DISCARDABLE       0x02000000
#define IMAGE_SCN_MEM_NOT_CACHED        0x04000000
#define IMAGE_SCN_MEM_NOT_PAGED         0x08000000
#define IMAGE_SCN_MEM_SHARED            0x10000000
#define IMAGE_SCN_MEM_EXECUTE           0x20000000
#define IMAGE_SCN_MEM_READ              0x40000000
#define IMAGE_SCN_MEM_WRITE             0x80000000

typedef struct _IMAGE_SECTION_HEADER {
    UCHAR Name[IMAGE_SIZEOF_SHORT_NAME];
    union {
        ULONG PhysicalAddress;
        ULONG VirtualSize;
    } Misc;
    ULONG VirtualAddress;
    ULONG SizeOfRawData;
    ULONG PointerToRawData;
    ULONG PointerToRelocations;
    ULONG PointerToLinenumbers;
    USHORT NumberOfRelocations;
    USHORT NumberOfLinenumbers;
    ULONG Characteristics;
} IMAGE_SECTION_HEADER;

/* Sections follow the optional header, whose length the file states. */
#define IMAGE_FIRST_SECTION(headers) \
    ((IMAGE_SECTION_HEADER *)((char *)&(headers)->OptionalHeader + \
                              (headers)->FileHeader.SizeOfOptionalHeader))

/*
 * A block of relocations for one page; SizeOfBlock counts this header and the
 * USHORT entries behind it, each a type (bits 12-15) and an offset.
 */
typedef struct _IMAGE_BASE_RELOCATION {
    ULONG VirtualAddress;
    ULONG SizeOfBlock;
} IMAGE_BASE_RELOCATION;

#define IMAGE_REL_BASED_ABSOLUTE        0               /* padding */
#define IMAGE_REL_BASED_HIGH            1
#define IMAGE_REL_BASED_LOW             2
#define IMAGE_REL_BASED_HIGHLOW         3
#define IMAGE_REL_BASED_DIR64           10

/* One per DLL; an entry of zeroes ends the list. */
typedef struct _IMAGE_IMPORT_DESCRIPTOR {
    union {
        ULONG Characteristics;
        ULONG OriginalFirstThunk;               /* names; 0: see FirstThunk */
    };
    ULONG TimeDateStamp;
    ULONG ForwarderChain;
    ULONG Name;
    ULONG FirstThunk;                           /* the table to fill */
} IMAGE_IMPORT_DESCRIPTOR;

typedef struct _IMAGE_THUNK_DATA64 {
    union {
        ULONGLONG ForwarderString;
        ULONGLONG Function;
        ULONGLONG Ordinal;
        ULONGLONG AddressOfData;                /* IMAGE_IMPORT_BY_NAME */
    } u1;
} IMAGE_THUNK_DATA64;

typedef struct _IMAGE_THUNK_DATA32 {
    union {
        ULONG ForwarderString;
        ULONG Function;
        ULONG Ordinal;
        ULONG AddressOfData;                    /* IMAGE_IMPORT_BY_NAME */
    } u1;
} IMAGE_THUNK_DATA32;

#define IMAGE_ORDINAL_FLAG32            0x80000000U
#define IMAGE_ORDINAL32(ordinal)        ((ordinal) & 0xFFFF)
#define IMAGE_SNAP_BY_ORDINAL32(ordinal) \
    (((ordinal) & IMAGE_ORDINAL_FLAG32) != 0)
#define IMAGE_ORDINAL_FLAG64            0x8000000000000000ULL
#define IMAGE_ORDINAL64(ordinal)        ((ordinal) & 0xFFFF)
#define IMAGE_SNAP_BY_ORDINAL64(ordinal) \
    (((ordinal) & IMAGE_ORDINAL_FLAG64) != 0)

typedef struct _IMAGE_IMPORT_BY_NAME {
    USHORT Hint;
    CHAR Name[1];
} IMAGE_IMPORT_BY_NAME;

/*
 * A function whose RVA lies inside this directory is a forwarder: the RVA of
 * the text "DLL.Name" or "DLL.#ordinal".
 */
typedef struct _IMAGE_EXPORT_DIRECTORY {
    ULONG Characteristics;
    ULONG TimeDateStamp;
    USHORT MajorVersion;
    USHORT MinorVersion;
    ULONG Name;
    ULONG Base;
    ULONG NumberOfFunctions;
    ULONG NumberOfNames;
    ULONG AddressOfFunctions;                   /* ULONG rva[] */
    ULONG AddressOfNames;                       /* ULONG rva[], sorted */
    ULONG AddressOfNameOrdinals;                /* USHORT[], without Base */
} IMAGE_EXPORT_DIRECTORY;

/* Addresses, not RVAs: the file relocates them. */
typedef struct _IMAGE_TLS_DIRECTORY64 {
    ULONGLONG StartAddressOfRawData;
    ULONGLONG EndAddressOfRawData;
    ULONGLONG AddressOfIndex;                   /* ULONG * */
    ULONGLONG AddressOfCallBacks;               /* routines, ended by 0 */
    ULONG SizeOfZeroFill;
    ULONG Characteristics;
} IMAGE_TLS_DIRECTORY64;

typedef struct _IMAGE_TLS_DIRECTORY32 {
    ULONG StartAddressOfRawData;
    ULONG EndAddressOfRawData;
    ULONG AddressOfIndex;                       /* ULONG * */
    ULONG AddressOfCallBacks;                   /* routines, ended by 0 */
    ULONG SizeOfZeroFill;
    ULONG Characteristics;
} IMAGE_TLS_DIRECTORY32;

/* Reasons of DllMain and of TLS callbacks. */
#define DLL_PROCESS_DETACH              0
#define DLL_PROCESS_ATTACH              1
#define DLL_THREAD_ATTACH               2
#define DLL_THREAD_DETACH               3

_Static_assert(sizeof(IMAGE_DOS_HEADER) == 0x40, "IMAGE_DOS_HEADER");
_Static_assert(sizeof(IMAGE_FILE_HEADER) == 0x14, "IMAGE_FILE_HEADER");
_Static_assert(sizeof(IMAGE_NT_HEADERS32) == 0xF8, "IMAGE_NT_HEADERS32");
_Static_assert(sizeof(IMAGE_NT_HEADERS64) == 0x108, "IMAGE_NT_HEADERS64");
_Static_assert(sizeof(IMAGE_SECTION_HEADER) == 0x28, "IMAGE_SECTION_HEADER");
_Static_assert(sizeof(IMAGE_IMPORT_DESCRIPTOR) == 0x14, "imports");
_Static_assert(sizeof(IMAGE_EXPORT_DIRECTORY) == 0x28, "exports");
_Static_assert(sizeof(IMAGE_TLS_DIRECTORY32) == 0x18, "TLS, 32-bit");
_Static_assert(sizeof(IMAGE_TLS_DIRECTORY64) == 0x28, "TLS");

/*
 * ob/obp.h - what the object manager's files share.
 *
 * Before an object's header lies what only some objects need; InfoMask says
 * which parts are there.  From the header downward:
 *
 *      OBJECT_HEADER_NAME_INFO       bit 1     0x20 bytes
 *      OBJECT_HEADER_PROCESS_INFO    bit 4     0x10 bytes
 */
#pragma once

#include <kd.h>
#include <ob.h>

struct _HANDLE_TABLE;
struct _HANDLE_TABLE_ENTRY;

#define OBP_TAG 0x206A624F              /* "Obj " */
#define OBP_NAME_TAG 0x6D4E624F         /* "ObNm" */

/* OBJECT_HEADER.InfoMask and Flags */
#define OBP_NAME_INFO 0x02
#define OBP_PROCESS_INFO 0x10
#define OB_FLAG_EXCLUSIVE_OBJECT 0x08
#define OB_FLAG_PERMANENT_OBJECT 0x10

/* Directory: where the entry is, referenced; NULL: not in the namespace. */
typedef struct _OBJECT_HEADER_NAME_INFO {
    struct _OBJECT_DIRECTORY *Directory;        /* 000 */
    UNICODE_STRING Name;                        /* 008, of pool */
    UCHAR pad_18[0x8];
} OBJECT_HEADER_NAME_INFO;

/* The only process that may have handles, while there are any. */
typedef struct _OBJECT_HEADER_PROCESS_INFO {
    struct _EPROCESS *ExclusiveProcess;         /* 000 */
    UCHAR pad_8[0x8];
} OBJECT_HEADER_PROCESS_INFO;

/* What a caller's OBJECT_ATTRIBUTES say, but for the name. */
typedef struct _OBJECT_CREATE_INFORMATION {
    ULONG Attributes;                           /* 000 */
    UCHAR pad_4[0x4];
    HANDLE RootDirectory;                       /* 008 */
    KPROCESSOR_MODE ProbeMode;                  /* 010 */
    UCHAR pad_11[0x2f];
} OBJECT_CREATE_INFORMATION;

/* Types by index; NT's first two slots are not types either. */
#define OBP_FIRST_TYPE 2
extern OBJECT_TYPE *ObTypeIndexTable[OB_MAX_TYPES];

static inline OBJECT_HEADER *obp_header(const void *object)
{
    return CONTAINING_RECORD(object, OBJECT_HEADER, Body);
}

static inline OBJECT_HEADER_NAME_INFO *obp_name_info(OBJECT_HEADER *header)
{
    return header->InfoMask & OBP_NAME_INFO
               ? (OBJECT_HEADER_NAME_INFO *)header - 1 : NULL;
}

static inline SIZE_T obp_info_size(UCHAR mask)
{
    return (mask & OBP_NAME_INFO ? sizeof(OBJECT_HEADER_NAME_INFO) : 0) +
           (mask & OBP_PROCESS_INFO ? sizeof(OBJECT_HEADER_PROCESS_INFO) : 0);
}

static inline OBJECT_HEADER_PROCESS_INFO *obp_process_info(
    OBJECT_HEADER *header)
{
    return header->InfoMask & OBP_PROCESS_INFO
               ? (OBJECT_HEADER_PROCESS_INFO *)
                     ((char *)header - obp_info_size(header->InfoMask))
               : NULL;
}

/* type.c: TypeIndex as it is stored, or back again. */
UCHAR obp_encode_type(const OBJECT_HEADER *header, UCHAR index);

/* reference.c: an object with the parts of mask; its name, too, is freed. */
NTSTATUS obp_allocate_object(OBJECT_TYPE *type, SIZE_T size, UCHAR mask,
                             void **object);

/*
 * delete.c: the object is nobody's any more.  The first at PASSIVE_LEVEL, the
 * second up to DISPATCH_LEVEL, without a lock of the dispatcher's.
 */
void obp_delete_object(OBJECT_HEADER *header);
void obp_defer_deletion(OBJECT_HEADER *header);

/* current.c: of the process whose address space is loaded. */
struct _EPROCESS *obp_current_process(void);

/* Into the log, if that is wanted: a service of this process refuses it. */
void obp_show_bad_handle(HANDLE handle, NTSTATUS status);

static inline void obp_tell_bad_handle(HANDLE handle, NTSTATUS status)
{
    if (kd_wants(KD_OB_ID, DPFLTR_INFO_LEVEL))
        obp_show_bad_handle(handle, status);
}
struct _HANDLE_TABLE *obp_process_table(struct _EPROCESS *process);

/*
 * What a pseudo handle stands for, used on process's handles, or NULL.  Not
 * referenced.
 */
void *obp_pseudo_object(struct _EPROCESS *process, HANDLE handle);

/* The process of a caller's handle, which needs PROCESS_DUP_HANDLE. */
NTSTATUS obp_reference_process(HANDLE handle, struct _EPROCESS **process);

/*
 * handle.c.  A handle comes in two steps: it is counted, which may be refused
 * (OBJ_EXCLUSIVE) and can be done with a directory locked; then it enters a
 * table, or is given up again.
 */
NTSTATUS obp_count_handle(OBJECT_HEADER *header, struct _EPROCESS *process,
                          ULONG attributes);
NTSTATUS obp_enter_handle(OBJECT_HEADER *header, struct _EPROCESS *process,
                          ACCESS_MASK granted, ULONG attributes,
                          HANDLE *handle);

/* close.c: NtClose for any process; no pseudo handles. */
NTSTATUS obp_close_handle(struct _EPROCESS *process, HANDLE handle);

/* One handle less for an object whose table entry is gone. */
void obp_drop_handle(void *header);

/*
 * The object and the access and attributes of a handle in process's table,
 * referenced.  STATUS_INVALID_HANDLE.
 */
struct obp_handle {
    void *object;
    ACCESS_MASK granted;
    ULONG attributes;
};
NTSTATUS obp_reference_handle(struct _EPROCESS *process, HANDLE handle,
                              struct obp_handle *result);

/*
 * create.c: decode what a caller of mode passes.  name->Buffer is pool, NULL
 * for no name.  attributes NULL: nothing.
 */
NTSTATUS obp_capture_attributes(KPROCESSOR_MODE mode,
                                const OBJECT_ATTRIBUTES *attributes,
                                OBJECT_CREATE_INFORMATION *information,
                                UNICODE_STRING *name);
void obp_free_name(UNICODE_STRING *name);

/* ---- directory.c ---- */

#define OBP_BUCKETS 37

typedef struct _OBJECT_DIRECTORY_ENTRY {
    struct _OBJECT_DIRECTORY_ENTRY *ChainLink;  /* 000 */
    void *Object;                               /* 008, referenced */
    ULONG HashValue;                            /* 010 */
    UCHAR pad_14[0x4];
} OBJECT_DIRECTORY_ENTRY;

/* NT: Lock is a push lock. */
typedef struct _OBJECT_DIRECTORY {
    OBJECT_DIRECTORY_ENTRY *HashBuckets[OBP_BUCKETS]; /* 000 */
    KSPIN_LOCK Lock;                            /* 128 */
    UCHAR pad_130[0x28];
} OBJECT_DIRECTORY;

extern OBJECT_TYPE *ObpDirectoryObjectType;
extern OBJECT_DIRECTORY *ObpRootDirectoryObject;

/* Boot: \, \ObjectTypes with the types there are, \BaseNamedObjects. */
void obp_initialize_namespace(void);

/* A type made later enters \ObjectTypes. */
void obp_name_type(OBJECT_TYPE *type);

/* The object's entry in a locked directory, or NULL.  Not referenced. */
void *obp_find_entry(OBJECT_DIRECTORY *directory, const UNICODE_STRING *name,
                     BOOLEAN ignore_case);

/*
 * Put an object with a name info into a locked directory, where its name is
 * not; name, of pool, becomes the object's, entry the directory's.
 */
void obp_insert_entry(OBJECT_DIRECTORY *directory, void *object,
                      const UNICODE_STRING *name,
                      OBJECT_DIRECTORY_ENTRY *entry);
OBJECT_DIRECTORY_ENTRY *obp_allocate_entry(void);
void obp_free_entry(OBJECT_DIRECTORY_ENTRY *entry);

/* Where an object is in the namespace, referenced, or NULL. */
OBJECT_DIRECTORY *obp_reference_directory_of(OBJECT_HEADER *header);

/* No handles any more: the name goes, unless the object is permanent. */
void obp_delete_name_check(OBJECT_HEADER *header);

/* ---- lookup.c ---- */

/*
 * Where a path leads.  After a success directory, if not NULL, is locked and
 * the caller is at DISPATCH_LEVEL until obp_end_lookup, which also gives back
 * the references.  object NULL: the directory has no entry called name, which
 * is the last part of the path.
 */
struct obp_lookup {
    OBJECT_DIRECTORY *directory;
    void *object;
    UNICODE_STRING name;
    KIRQL irql;
};
NTSTATUS obp_look_up_name(const OBJECT_CREATE_INFORMATION *information,
                          const UNICODE_STRING *path,
                          struct obp_lookup *lookup);
void obp_end_lookup(struct obp_lookup *lookup);

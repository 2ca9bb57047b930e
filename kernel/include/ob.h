/*
 * ob.h - ring 1: objects, their types and handles.
 *
 * An object is its body; OBJECT_HEADER lies right before it.  PointerCount
 * counts references (each handle holds one, and the object's entry in a
 * directory), HandleCount handles.  Both change by interlocked operations.
 * When the last handle goes, so does the name, unless the object is
 * permanent; the last dereference calls the type's DeleteProcedure and frees
 * the pool, above PASSIVE_LEVEL by way of a system thread.
 *
 * IRQL: PASSIVE_LEVEL, but for referencing and dereferencing: <=
 * DISPATCH_LEVEL, without a lock of the dispatcher's.
 */
#pragma once

#include <ke.h>

struct _EPROCESS;

typedef struct _OBJECT_HEADER {
    volatile LONGLONG PointerCount;             /* 000 */
    union {
        volatile LONGLONG HandleCount;          /* 008 */
        struct _OBJECT_HEADER *NextToFree;      /* 008, nobody's any more */
    };
    UCHAR pad_10[0x8];
    UCHAR TypeIndex;                            /* 018 */
    UCHAR pad_19[0x1];
    UCHAR InfoMask;                             /* 01a */
    UCHAR Flags;                                /* 01b */
    UCHAR pad_1c[0x4];
    struct _OBJECT_CREATE_INFORMATION *ObjectCreateInfo; /* 020, new ones' */
    UCHAR pad_28[0x8];
    ULONGLONG Body;                             /* 030, its first bytes */
} OBJECT_HEADER;

/*
 * SecurityProcedure: of a type that decides itself who may do what with an
 * object; then a duplicate of a handle has no right that the handle lacks.
 */
typedef struct _OBJECT_TYPE_INITIALIZER {
    USHORT Length;                              /* 000 */
    UCHAR pad_2[0x6];
    ULONG InvalidAttributes;                    /* 008 */
    GENERIC_MAPPING GenericMapping;             /* 00c */
    ULONG ValidAccessMask;                      /* 01c */
    UCHAR pad_20[0x20];
    void (*CloseProcedure)(void *object, LONGLONG handles_left); /* 040 */
    void (*DeleteProcedure)(void *object);      /* 048 */
    UCHAR pad_50[0x8];
    NTSTATUS (*SecurityProcedure)(void *object); /* 058 */
    UCHAR pad_60[0x18];
} OBJECT_TYPE_INITIALIZER;

typedef struct _OBJECT_TYPE {
    LIST_ENTRY TypeList;                        /* 000 */
    UNICODE_STRING Name;                        /* 010 */
    void *DefaultObject;                        /* 020, see ob_set_waitable */
    UCHAR Index;                                /* 028 */
    UCHAR pad_29[0x3];
    ULONG TotalNumberOfObjects;                 /* 02c */
    ULONG TotalNumberOfHandles;                 /* 030 */
    ULONG HighWaterNumberOfObjects;             /* 034 */
    ULONG HighWaterNumberOfHandles;             /* 038 */
    UCHAR pad_3c[0x4];
    OBJECT_TYPE_INITIALIZER TypeInfo;           /* 040 */
    UCHAR pad_b8[0x20];
} OBJECT_TYPE;

#define OB_MAX_TYPES 16

/* The pseudo handles, valid for ObReferenceObjectByHandle and services. */
#define OB_CURRENT_PROCESS ((HANDLE)(LONG_PTR)-1)
#define OB_CURRENT_THREAD ((HANDLE)(LONG_PTR)-2)

/* At boot, before the first object; types register themselves afterwards. */
void ob_initialize(void);

/*
 * Register a type.  valid_access: every right a handle to it can carry; the
 * generic rights mean all of them until the caller sets TypeInfo's
 * GenericMapping.  delete_procedure may be NULL.  Bugchecks when the table is
 * full: types are fixed at build time.
 */
OBJECT_TYPE *ob_create_type(const WCHAR *name, ACCESS_MASK valid_access,
                            void (*delete_procedure)(void *object));

/*
 * Objects of this type can be waited for: the DISPATCHER_HEADER is offset
 * bytes behind the body's beginning.  NT: the same, but what a type without
 * one gives to wait for is an event that is always set.
 */
void ob_set_waitable(OBJECT_TYPE *type, SIZE_T offset);

/*
 * A new object of size bytes, zeroed, with one reference.
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS ob_create_object(OBJECT_TYPE *type, SIZE_T size, void **object);

/*
 * The same with a name and attributes that a caller of mode gives, captured
 * here; attributes may be NULL.  Nobody finds the object before ObInsertObject
 * has put it into the namespace.  STATUS_OBJECT_NAME_INVALID,
 * STATUS_INVALID_PARAMETER, STATUS_PRIVILEGE_NOT_HELD: OBJ_PERMANENT from
 * ring 3; STATUS_ACCESS_VIOLATION, STATUS_DATATYPE_MISALIGNMENT.  NT: three
 * arguments more, of quotas and parsing.
 */
NTSTATUS ObCreateObject(KPROCESSOR_MODE mode, OBJECT_TYPE *type,
                        const OBJECT_ATTRIBUTES *attributes, SIZE_T size,
                        void **object);

/*
 * A handle to an object that ObCreateObject has made, in the current process,
 * and its name in the namespace.  It takes over the caller's reference,
 * whatever happens.  With OBJ_OPENIF a handle to an older object of that name
 * and type: STATUS_OBJECT_NAME_EXISTS, a success.  Without:
 * STATUS_OBJECT_NAME_COLLISION.  STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_NAME_INVALID: an empty part;
 * STATUS_OBJECT_TYPE_MISMATCH: something else has the name, or a part of the
 * path is no directory; STATUS_INVALID_HANDLE: the root directory; and those
 * of ob_create_handle.
 */
NTSTATUS ObInsertObject(void *object, ACCESS_MASK access, HANDLE *handle);

/*
 * A handle to an object by its name.  type NULL: any.
 * STATUS_INVALID_PARAMETER: no attributes; STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH, and those above.
 */
NTSTATUS ObOpenObjectByName(const OBJECT_ATTRIBUTES *attributes,
                            OBJECT_TYPE *type, KPROCESSOR_MODE mode,
                            ACCESS_MASK access, HANDLE *handle);

/*
 * A handle to an object in process's table, with what ObOpenObjectByName takes
 * out of the attributes.  type NULL: any.  STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INVALID_PARAMETER, STATUS_ACCESS_DENIED: OBJ_EXCLUSIVE;
 * and those of ob_create_handle.  NT: the current process.
 */
NTSTATUS ObOpenObjectByPointer(void *object, struct _EPROCESS *process,
                               ULONG attributes, ACCESS_MASK access,
                               OBJECT_TYPE *type, HANDLE *handle);

/* What to wait for with a handle to this object; NULL: nothing. */
DISPATCHER_HEADER *ob_dispatcher_header(void *object);

OBJECT_TYPE *ObGetObjectType(void *object);
LONGLONG ObfReferenceObject(void *object);
LONGLONG ObfDereferenceObject(void *object);
/* The same, but the deletion is always left to the system thread. */
void ObDereferenceObjectDeferDelete(void *object);
#define ObReferenceObject ObfReferenceObject
#define ObDereferenceObject ObfDereferenceObject

/* That thread's routine; Ps starts it. */
void ob_delete_deferred(void *argument);

/*
 * For lists that hold no reference: FALSE if the object is being deleted.
 * IRQL: <= DISPATCH_LEVEL.
 */
BOOLEAN ObReferenceObjectSafe(void *object);

/*
 * access with its generic rights mapped; MAXIMUM_ALLOWED gives allowed, the
 * rights that this object can grant.  STATUS_ACCESS_DENIED: the type does not
 * have a right, STATUS_PRIVILEGE_NOT_HELD: ACCESS_SYSTEM_SECURITY.
 */
NTSTATUS ob_map_access(const OBJECT_TYPE *type, ACCESS_MASK access,
                       ACCESS_MASK allowed, ACCESS_MASK *granted);

/*
 * A handle to object in the table of the current process; the handle takes
 * its own reference, the caller keeps its.  access may hold generic rights
 * (GENERIC_ALL and MAXIMUM_ALLOWED give all valid ones).
 * STATUS_ACCESS_DENIED for rights the type does not have,
 * STATUS_PROCESS_IS_TERMINATING when the table is gone,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS ob_create_handle(void *object, ACCESS_MASK access, HANDLE *handle);

/*
 * The object behind a handle of the current process, referenced.  type NULL:
 * any.  STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, and for callers
 * in UserMode STATUS_ACCESS_DENIED.  NT: the sixth argument
 * (OBJECT_HANDLE_INFORMATION) is absent.
 */
NTSTATUS ObReferenceObjectByHandle(HANDLE handle, ACCESS_MASK access,
                                   OBJECT_TYPE *type, KPROCESSOR_MODE mode,
                                   void **object);

/*
 * Close every handle of a process that ends; nothing goes into its table any
 * more.  The process need not be current.  Then, when nobody can reach the
 * process, free the table.  It may be absent.
 */
void ObKillProcess(struct _EPROCESS *process);
void ob_delete_handle_table(struct _EPROCESS *process);

/*
 * A new process's table, still empty, gets the parent's handles with
 * OBJ_INHERIT, under their values.  STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS ob_inherit_handles(struct _EPROCESS *parent,
                            struct _EPROCESS *child);

/*
 * NtQueryObject and NtQueryDirectoryObject; narrow: for 32-bit code, whose
 * strings have 32-bit pointers.  ObjectTypeInformation is never narrow.
 */
NTSTATUS ob_query_object(HANDLE handle, ULONG class, void *buffer,
                         ULONG length, ULONG *return_length, BOOLEAN narrow);
NTSTATUS ob_query_directory(HANDLE handle, void *buffer, ULONG length,
                            BOOLEAN single, BOOLEAN restart, ULONG *context,
                            ULONG *return_length, BOOLEAN narrow);

/* How many handles a process has. */
ULONG ObGetProcessHandleCount(struct _EPROCESS *process);

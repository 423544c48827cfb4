/* The one function that Rust programs want of this library. For tests under wine only. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE at, SIZE_T left)
{
    while (left) {
        ULONG part = left > 0x1000000 ? 0x1000000 : (ULONG)left;
        if (!SystemFunction036(at, part))
            return FALSE;
        at += part;
        left -= part;
    }
    return TRUE;
}

#include "chance.h"

#include <stdatomic.h>
#include <stddef.h>

#define SLOTS 64

/* Handles are read and written in halves: torn ones are among them. */
static _Atomic ULONG_PTR lower[SLOTS], upper[SLOTS];
static void *_Atomic handed_out[SLOTS];
static void *_Atomic tokens[SLOTS];

/* splitmix64 */
uint64_t chance(struct work *work)
{
    uint64_t z = (work->state += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

ULONG below(struct work *work, ULONG most)
{
    return (ULONG)(chance(work) % most);
}

bool rarely(struct work *work)
{
    return below(work, 16) == 0;
}

SecHandle *any_handle(struct work *work, SecHandle *place)
{
    ULONG slot = below(work, SLOTS), other = rarely(work) ? below(work, SLOTS) : slot;
    *place = (SecHandle){lower[slot], upper[other]};
    switch (below(work, 40)) {
    case 0:
        return NULL;
    case 1:
        *place = (SecHandle){chance(work), chance(work)};
        break;
    case 2:
        place->dwUpper ^= (ULONG_PTR)1 << below(work, 64);
        break;
    case 3:
        place->dwLower ^= (ULONG_PTR)1 << below(work, 64);
        break;
    default:
        break;
    }
    return place;
}

void keep(struct work *work, SecHandle handle)
{
    ULONG slot = below(work, SLOTS);
    lower[slot] = handle.dwLower;
    upper[slot] = handle.dwUpper;
}

void *any_kept_token(struct work *work)
{
    ULONG_PTR token = (ULONG_PTR)tokens[below(work, SLOTS)];
    return (void *)(rarely(work) ? token ^ (ULONG_PTR)1 << below(work, 64) : token);
}

void keep_token(struct work *work, void *token)
{
    tokens[below(work, SLOTS)] = token;
}

void give_back_later(struct work *work, void *memory)
{
    FreeContextBuffer(atomic_exchange(&handed_out[below(work, SLOTS)], memory));
}

void *given_back(struct work *work)
{
    return atomic_exchange(&handed_out[below(work, SLOTS)], NULL);
}

void give_all_back(void)
{
    for (size_t slot = 0; slot < SLOTS; ++slot) {
        FreeContextBuffer(atomic_exchange(&handed_out[slot], NULL));
    }
}

PSecBufferDesc any_buffers(struct work *work, SecBufferDesc *desc, SecBuffer *buffers)
{
    ULONG at = 0, count = below(work, 5);
    for (ULONG number = 0; number < count; ++number) {
        static const ULONG TYPES[] = {SECBUFFER_TOKEN, SECBUFFER_DATA, SECBUFFER_TOKEN, SECBUFFER_DATA, SECBUFFER_EMPTY,
                                      SECBUFFER_STREAM, SECBUFFER_PADDING, SECBUFFER_CHANNEL_BINDINGS,
                                      SECBUFFER_CHANNEL_BINDINGS_RESULT, SECBUFFER_CHANGE_PASS_RESPONSE, 99};
        static const ULONG BITS[] = {0, 0, 0, SECBUFFER_READONLY, SECBUFFER_READONLY_WITH_CHECKSUM, SECBUFFER_ATTRMASK};
        ULONG length = below(work, rarely(work) ? 1500 : 40);
        buffers[number] = (SecBuffer){length, TYPES[below(work, 11)] | BITS[below(work, 6)], work->memory + at};
        if (rarely(work)) {
            buffers[number].pvBuffer = NULL;
        } else if (!rarely(work)) {
            at += length; /* otherwise two of them overlap */
        }
        for (ULONG byte = 0; byte < 16 && byte < length && buffers[number].pvBuffer != NULL; ++byte) {
            ((unsigned char *)buffers[number].pvBuffer)[byte] = (unsigned char)chance(work);
        }
    }
    *desc = (SecBufferDesc){rarely(work) ? 1 : SECBUFFER_VERSION, count, count == 0 && rarely(work) ? NULL : buffers};
    return rarely(work) ? NULL : desc;
}

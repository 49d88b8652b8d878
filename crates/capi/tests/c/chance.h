/* What misuse.c draws by lot. */
#ifndef CHANCE_H
#define CHANCE_H

#include <portcullis/sspi.h>

#include <stdbool.h>

/* A thread's own. */
struct work {
    uint64_t state;
    unsigned long calls;
    bool forks;
    unsigned char memory[8192];
    unsigned char token[4096];
    ULONG length;
};

uint64_t chance(struct work *work);
ULONG below(struct work *work, ULONG most);
bool rarely(struct work *work);

/* A handle in `place`, or NULL: one that was kept by any thread, mostly. */
SecHandle *any_handle(struct work *work, SecHandle *place);
void keep(struct work *work, SecHandle handle);

/* Tokens, kept by any thread. */
void *any_kept_token(struct work *work);
void keep_token(struct work *work, void *token);

/* Memory that the library gave out; each piece is given back once, by any thread. */
void give_back_later(struct work *work, void *memory);
void *given_back(struct work *work);
void give_all_back(void);

/* Buffers of any types that are described rightly: their memory is this thread's. */
PSecBufferDesc any_buffers(struct work *work, SecBufferDesc *desc, SecBuffer *buffers);

#endif

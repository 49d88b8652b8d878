/*
 * Lines of the log where they are in the way: the host's function calls the library or forks in the middle of a call, and a
 * host forks while its threads write lines. Nobody waits for a lock that nobody will release.
 *
 *     logging calls               the function asks, ends the context that is being used, and forks
 *     logging stderr FORKS       PORTCULLIS_CONFIG has a [log] without a file
 */
#define _GNU_SOURCE
#include "check.h"
#include "talk.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Who has not ended by then hangs. */
#define SECONDS 60
#define THREADS 4

static const char *package;
static CredHandle both;

/* A message that is none; what is said of it is a line of the log. */
static SECURITY_STATUS garbage(struct side *side)
{
    unsigned char memory[40];
    memset(memory, 'x', sizeof memory);
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, memory}, {24, SECBUFFER_DATA, memory + 16}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    return DecryptMessage(&side->context, &message, 0, NULL);
}

static bool whole_handshake(void)
{
    struct side client = initiator(&both), server = acceptor(&both);
    bool good = shake(&client, &server) && tell(&client, &server, "there") && tell(&server, &client, "and back");
    end(&client);
    end(&server);
    return good;
}

enum deed { ASKS, SEALS, SHAKES, REPLACES, DELETES, FORKS, DEEDS };

struct heard {
    enum deed deed;
    struct side *client, *server;
    unsigned lines;
    bool busy, good;
};

static bool did(struct heard *heard)
{
    SecPkgContext_Sizes sizes;
    char name[128];
    switch (heard->deed) {
    case ASKS:
        name_of(heard->server, name, sizeof name);
        return PortcullisLastCause(name, sizeof name) == SEC_E_OK && strcmp(name, "") != 0 &&
               QueryContextAttributesA(&heard->server->context, SECPKG_ATTR_SIZES, &sizes) == SEC_E_OK;
    case SEALS: {
        /* The same direction of the same context, which the message that is none left as it was. */
        bool sealed = tell(heard->client, heard->server, "in the middle of a call");
        return sealed && tell(heard->server, heard->client, "and the other way");
    }
    case SHAKES:
        return whole_handshake();
    case REPLACES:
        return PortcullisSetLog(NULL, NULL) == SEC_E_OK;
    case DELETES:
        return DeleteSecurityContext(&heard->server->context) == SEC_E_OK;
    default: {
        pid_t child = fork();
        if (child == 0) {
            alarm(SECONDS / 2);
            heard->deed = ASKS; /* of its own lines */
            heard->busy = false;
            bool good = garbage(heard->server) < 0 && whole_handshake() &&
                        tell(heard->client, heard->server, "in the child");
            _exit(good ? 0 : 1);
        }
        int status = 1;
        return waitpid(child, &status, 0) == child && status == 0;
    }
    }
}

static void hear(void *argument, ULONG level, const char *line)
{
    struct heard *heard = argument;
    (void)level;
    (void)line;
    ++heard->lines;
    /* What it does itself is a line too. */
    if (!heard->busy) {
        heard->busy = true;
        heard->good = did(heard);
    }
}

static void calls(void)
{
    static const char *const DEEDS_ARE[DEEDS] = {"asks", "seals", "shakes hands", "replaces itself", "ends the context",
                                                 "forks"};
    for (enum deed deed = ASKS; deed < DEEDS; ++deed) {
        CASE("%s: the log's function %s", package, DEEDS_ARE[deed]);
        struct side client = initiator(&both), server = acceptor(&both);
        MUST(shake(&client, &server));
        struct heard heard = {.deed = deed, .client = &client, .server = &server};
        STATUS(PortcullisSetLog(hear, &heard), SEC_E_OK);
        FAILS(garbage(&server));
        STATUS(PortcullisSetLog(NULL, NULL), SEC_E_OK);
        CHECK(heard.lines > 0 && heard.busy && heard.good);
        if (deed == DELETES) {
            STATUS(garbage(&server), SEC_E_INVALID_HANDLE);
            server.begun = false;
        } else {
            CHECK(tell(&client, &server, "goes on"));
        }
        end(&client);
        end(&server);
        CHECK(whole_handshake());
    }
}

static atomic_bool over;
static atomic_ulong written;

static void *write_lines(void *argument)
{
    struct side *side = argument;
    while (!over) {
        FAILS(garbage(side));
        ++written;
    }
    return NULL;
}

static void write_and_fork(int forks)
{
    struct side client[THREADS], server[THREADS];
    pthread_t threads[THREADS];
    for (int number = 0; number < THREADS; ++number) {
        client[number] = initiator(&both);
        server[number] = acceptor(&both);
        MUST(shake(&client[number], &server[number]));
        MUST(pthread_create(&threads[number], NULL, write_lines, &server[number]) == 0);
    }
    for (int which = 0; which < forks; ++which) {
        CASE("fork %d", which);
        unsigned long before = written;
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            alarm(SECONDS / 2);
            _exit(garbage(&server[which % THREADS]) < 0 ? 0 : 1);
        }
        int status = 1;
        MUST(waitpid(child, &status, 0) == child);
        MUST(status == 0);
        while (written == before) {
            usleep(100);
        }
    }
    over = true;
    for (int number = 0; number < THREADS; ++number) {
        pthread_join(threads[number], NULL);
        end(&client[number]);
        end(&server[number]);
    }
}

/* The other end of stderr, which has so little room that writers wait in the middle of their lines. */
static int narrow[2];

static void *drain(void *unused)
{
    char lines[512];
    (void)unused;
    while (read(narrow[0], lines, sizeof lines) > 0) {
    }
    return NULL;
}

static void forks(int forks)
{
    pthread_t reader;
    int before = dup(STDERR_FILENO);
    MUST(before >= 0 && pipe(narrow) == 0 && fcntl(narrow[1], F_SETPIPE_SZ, 4096) > 0);
    MUST(dup2(narrow[1], STDERR_FILENO) >= 0 && close(narrow[1]) == 0);
    MUST(pthread_create(&reader, NULL, drain, NULL) == 0);
    write_and_fork(forks);
    MUST(dup2(before, STDERR_FILENO) >= 0 && close(before) == 0);
    pthread_join(reader, NULL);
    close(narrow[0]);
}

int main(int count, char **arguments)
{
    MUST(count >= 2);
    alarm(2 * SECONDS);
    const char *packages[] = {"NTLM", "Negotiate"};
    for (int at = 0; at < 2; ++at) {
        package = packages[at];
        both = must_acquire(package, SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
        if (count == 2) {
            calls();
        } else {
            over = false;
            forks(atoi(arguments[2]));
        }
        STATUS(FreeCredentialsHandle(&both), SEC_E_OK);
    }
    return check_done();
}

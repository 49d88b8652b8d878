/*
 * One context, two threads on either side: on each, one seals while the other opens what the other side sealed. Every
 * message arrives, in its order and as it was.
 *
 *     overlap MESSAGES
 */
#include "check.h"
#include "talk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct message {
    unsigned char signature[16];
    unsigned char text[64];
};

/* What one side sealed, for the other. */
struct way {
    struct side *from, *to;
    unsigned char first;
    size_t messages;
    struct message *queue;
    size_t filled;
    pthread_mutex_t mutex;
    pthread_cond_t more;
};

static void write_text(unsigned char *text, unsigned char first, size_t number)
{
    for (size_t at = 0; at < sizeof((struct message){0}).text; ++at) {
        text[at] = (unsigned char)(first + at * number);
    }
}

static void *seal(void *argument)
{
    struct way *way = argument;
    for (size_t number = 0; number < way->messages; ++number) {
        struct message *message = &way->queue[number];
        write_text(message->text, way->first, number);
        SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, message->signature},
                                {sizeof message->text, SECBUFFER_DATA, message->text}};
        SecBufferDesc whole = {SECBUFFER_VERSION, 2, buffers};
        SECURITY_STATUS status = number % 3 == 0 ? MakeSignature(&way->from->context, 0, &whole, 0)
                                                 : EncryptMessage(&way->from->context, 0, &whole, 0);
        STATUS(status, SEC_E_OK);
        pthread_mutex_lock(&way->mutex);
        way->filled = number + 1;
        pthread_cond_signal(&way->more);
        pthread_mutex_unlock(&way->mutex);
    }
    return NULL;
}

static void *open_all(void *argument)
{
    struct way *way = argument;
    unsigned char expected[sizeof((struct message){0}).text];
    for (size_t number = 0; number < way->messages; ++number) {
        pthread_mutex_lock(&way->mutex);
        while (way->filled <= number) {
            pthread_cond_wait(&way->more, &way->mutex);
        }
        pthread_mutex_unlock(&way->mutex);
        struct message *message = &way->queue[number];
        SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, message->signature},
                                {sizeof message->text, SECBUFFER_DATA, message->text}};
        SecBufferDesc whole = {SECBUFFER_VERSION, 2, buffers};
        SECURITY_STATUS status = number % 3 == 0 ? VerifySignature(&way->to->context, &whole, 0, NULL)
                                                 : DecryptMessage(&way->to->context, &whole, 0, NULL);
        STATUS(status, SEC_E_OK);
        write_text(expected, way->first, number);
        CHECK(memcmp(message->text, expected, sizeof expected) == 0);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    MUST(count == 2);
    size_t messages = strtoul(arguments[1], NULL, 10);
    CredHandle credential = must_acquire("NTLM", SECPKG_CRED_BOTH, ANN, ANN_PASSWORD);
    struct side client = initiator(&credential), server = acceptor(&credential);
    MUST(shake(&client, &server));
    struct way ways[2] = {{.from = &client, .to = &server, .first = 1, .messages = messages},
                          {.from = &server, .to = &client, .first = 101, .messages = messages}};
    pthread_t threads[4];
    for (int at = 0; at < 2; ++at) {
        ways[at].queue = calloc(messages, sizeof *ways[at].queue);
        MUST(ways[at].queue != NULL);
        pthread_mutex_init(&ways[at].mutex, NULL);
        pthread_cond_init(&ways[at].more, NULL);
        MUST(pthread_create(&threads[2 * at], NULL, seal, &ways[at]) == 0);
        MUST(pthread_create(&threads[2 * at + 1], NULL, open_all, &ways[at]) == 0);
    }
    for (int at = 0; at < 4; ++at) {
        pthread_join(threads[at], NULL);
    }
    CHECK(tell(&client, &server, "in step") && tell(&server, &client, "both ways"));
    free(ways[0].queue);
    free(ways[1].queue);
    end(&client);
    end(&server);
    STATUS(FreeCredentialsHandle(&credential), SEC_E_OK);
    return check_done();
}

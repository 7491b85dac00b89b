/* loader.c -- two streams in turns: one lends its batch out, the other is filled.
 *
 *     idle  --(next, seek done)-->  wanted  --(thread)-->  ready  --(next)-->  lent
 *
 * There is one order at a time.  The thread sleeps while there is none.
 */
#include "loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"

typedef enum order { IDLE, WANTED, READY, STOP } order;

struct poise_loader {
    poise_stream *stream[2]; /* [1]: NULL without a thread */
    int lent;                /* the stream whose batch is in use, or will be next */
    uint32_t epoch;
    int64_t index; /* of the batch that the caller gets next */
    /* The order, under the lock; the rest belongs to the thread while it is WANTED. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    int started;
    order order;
    int which; /* the stream that is filled */
    uint32_t of_epoch;
    int64_t of_index;
    int64_t rows;
    poise_batch batch;
    poise_error error;
};

static void *work(void *arg)
{
    poise_loader *l = arg;

    pthread_mutex_lock(&l->lock);
    while (l->order != STOP) {
        if (l->order != WANTED) {
            pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        pthread_mutex_unlock(&l->lock);
        poise_stream_seek(l->stream[l->which], l->of_epoch, l->of_index);
        l->rows = poise_stream_next(l->stream[l->which], &l->batch, &l->error);
        pthread_mutex_lock(&l->lock);
        if (l->order == WANTED)
            l->order = READY;
        pthread_cond_signal(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static int start(poise_loader *l, poise_error *err)
{
    if (pthread_mutex_init(&l->lock, NULL) == 0) {
        if (pthread_cond_init(&l->changed, NULL) == 0) {
            if (pthread_create(&l->thread, NULL, work, l) == 0) {
                l->started = 1;
                return 0;
            }
            pthread_cond_destroy(&l->changed);
        }
        pthread_mutex_destroy(&l->lock);
    }
    return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                      "a thread that reads ahead could not be started; train with one thread");
}

poise_loader *poise_loader_new(const poise_dataset *d, int64_t batch, int shuffle, uint64_t seed,
                               int ahead, poise_error *err)
{
    poise_loader *l = poise__calloc(1, sizeof *l, err);

    if (!l)
        return NULL;
    for (int k = 0; k < (ahead ? 2 : 1); k++)
        if (!(l->stream[k] = poise_stream_new(d, batch, shuffle, seed, err))) {
            poise_loader_free(l);
            return NULL;
        }
    if (ahead && start(l, err) < 0) {
        poise_loader_free(l);
        return NULL;
    }
    return l;
}

void poise_loader_free(poise_loader *l)
{
    if (!l)
        return;
    if (l->started) {
        pthread_mutex_lock(&l->lock);
        l->order = STOP;
        pthread_cond_signal(&l->changed);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
        pthread_cond_destroy(&l->changed);
        pthread_mutex_destroy(&l->lock);
    }
    poise_stream_free(l->stream[0]);
    poise_stream_free(l->stream[1]);
    free(l);
}

int64_t poise_loader_batches(const poise_loader *l)
{
    return poise_stream_batches(l->stream[0]);
}

/* Until the thread has nothing to do: 1 if it has made what was wanted of it. */
static int settle(poise_loader *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->order == WANTED)
        pthread_cond_wait(&l->changed, &l->lock);
    int ready = l->order == READY;
    l->order = IDLE;
    pthread_mutex_unlock(&l->lock);
    return ready;
}

/* Let the thread fill the stream that is not lent with the batch that comes next, if there is one. */
static void prepare(poise_loader *l)
{
    if (l->index >= poise_loader_batches(l))
        return;
    pthread_mutex_lock(&l->lock);
    l->which = 1 - l->lent;
    l->of_epoch = l->epoch;
    l->of_index = l->index;
    l->order = WANTED;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

void poise_loader_seek(poise_loader *l, uint32_t epoch, int64_t index)
{
    l->epoch = epoch;
    l->index = index < 0 ? 0 : index;
    if (!l->started) {
        poise_stream_seek(l->stream[0], epoch, index);
        return;
    }
    (void)settle(l); /* what it made is of another place */
    prepare(l);
}

int64_t poise_loader_next(poise_loader *l, poise_batch *b, poise_error *err)
{
    if (!l->started)
        return poise_stream_next(l->stream[0], b, err);
    if (l->index >= poise_loader_batches(l))
        return 0;
    if (!settle(l)) { /* nobody has called _seek: the first batch of the first epoch */
        prepare(l);
        (void)settle(l);
    }
    const int64_t rows = l->rows;
    if (rows < 0) {
        if (err)
            *err = l->error;
        return rows;
    }
    *b = l->batch;
    l->lent = l->which;
    l->index++;
    prepare(l);
    return rows;
}

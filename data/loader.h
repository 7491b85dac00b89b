/* loader.h -- a stream of batches of which the next is prepared while one is in use.
 *
 *     poise_loader *l = poise_loader_new(data, 512, 1, seed, threads > 1, &err);
 *     poise_loader_seek(l, epoch, batch);
 *     while ((n = poise_loader_next(l, &b, &err)) > 0) ...
 *
 * With `ahead` a thread of its own fills a second set of buffers; without, it is a poise_stream.  The
 * batches are the same: one depends on the data set, the seed, the epoch and its index alone.
 *
 * Ownership: _new owns, _free waits for the thread and frees; a batch borrows the buffers of the
 * loader until its next call.
 */
#ifndef POISE_LOADER_H
#define POISE_LOADER_H

#include "dataset.h"

typedef struct poise_loader poise_loader;

/* As poise_stream_new.  SYSTEM: no thread could be started. */
POISE_API poise_loader *poise_loader_new(const poise_dataset *d, int64_t batch, int shuffle,
                                         uint64_t seed, int ahead, poise_error *err);
POISE_API void poise_loader_free(poise_loader *l);
POISE_API int64_t poise_loader_batches(const poise_loader *l);
POISE_API void poise_loader_seek(poise_loader *l, uint32_t epoch, int64_t index);
/* As poise_stream_next: rows, 0 at the end of the epoch, -1 with *err.  Waits where the batch is not
 * ready yet.  Allocates nothing. */
POISE_API int64_t poise_loader_next(poise_loader *l, poise_batch *b, poise_error *err);

#endif

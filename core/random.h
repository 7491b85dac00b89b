/* random.h -- counter-based random numbers: Philox4x32-10.
 *
 * A number depends on (seed, stream, position) and on nothing else, so that
 * initialisation, dropout and shuffling can be computed in any order, by any
 * number of threads, and again after a resume.  A stream is the hash of a name
 * ("init/expert/weight", "shuffle"), a position is an element's index and, in
 * the high half, the step or epoch.
 * Bits and doubles of one stream are not independent of each other: give each use its own stream.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011; the known-answer vectors of its Random123 are in tests/.
 */
#ifndef POISE_RANDOM_H
#define POISE_RANDOM_H

#include <stdint.h>
#include "error.h"

/* The bijection itself: counter (4 words), key (2 words) -> 4 words, in place of counter. */
POISE_API void poise_philox(uint32_t counter[4], const uint32_t key[2]);

/* 64-bit FNV-1a of a name: the number of a stream. */
POISE_API uint64_t poise_random_stream(const char *name);

/* 32 random bits / a double in [0, 1) with 53 bits / a standard normal (Box-Muller),
 * at position `at` of stream `stream` under `seed`.  `hi` is the step, epoch or 0. */
POISE_API uint32_t poise_random_bits(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at);
POISE_API double poise_random_uniform(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at);
POISE_API double poise_random_normal(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at);

/* out[k] = poise_random_bits(seed, stream, hi, at + k) for k < n, four to a call of the bijection. */
POISE_API void poise_random_fill(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at,
                                 uint32_t *out, int64_t n);

/* Single precision, four to a call of the bijection; element k depends on at + k alone, but is not
 * what the functions above give there.  Uniform: in [low, high], 24 bits.  Normal: `scale` times a
 * standard one, Box-Muller; none is beyond 6.8 deviations. */
POISE_API void poise_random_uniforms(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at,
                                     int64_t n, float low, float high, float *out);
POISE_API void poise_random_normals(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at,
                                    int64_t n, float scale, float *out);

/* A seeded bijection of [0, n): the shuffled position of element i, without a table
 * (a Feistel network over the next power of four, walking the cycle).  n >= 1, i < n. */
POISE_API uint64_t poise_random_permute(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t n,
                                        uint64_t i);

#endif

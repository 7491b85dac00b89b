/* What is written reads back, here and by another reader; what is damaged is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "train/file.h"
#include "train/safetensors.h"

typedef struct fixture {
    char folder[64], path[128];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    if (!f)
        return -1;
    strcpy(f->folder, "/tmp/poise-tensors-XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/t.safetensors", f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    int left;

    unlink(f->path);
    left = rmdir(f->folder); /* fails if anything else was left in it */
    free(f);
    return left;
}

static const float weights[6] = {1, -2.5f, 3e-30f, 4, 5, INFINITY};
static const double moments[2] = {1e-300, 0.1};
static const int32_t ids[3] = {-1, 0, INT32_MAX};
static const int64_t steps[1] = {INT64_MIN};
static const uint8_t state_bytes[5] = {0, 1, 127, 128, 255};

/* With a type of every size, in an order that would put the later ones askew. */
static const poise_tensor tensors[] = {
    {"plugin/state", POISE_TENSOR_U8, 1, {5}, state_bytes, 5},
    {"expert/0/weight", POISE_TENSOR_F32, 3, {1, 2, 3}, weights, 24},
    {"step", POISE_TENSOR_I64, 0, {0}, steps, 8},
    {"nothing", POISE_TENSOR_F32, 2, {0, 4}, NULL, 0},
    {"a name \"with\" \\ and \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
     POISE_TENSOR_F64,
     1,
     {2},
     moments,
     16},
    {"ids", POISE_TENSOR_I32, 1, {3}, ids, 12},
};
enum { TENSORS = sizeof tensors / sizeof *tensors };

static const poise_metadata meta[] = {{"format", "poise"}, {"spec", "a: 1\nb: \"\xc3\xa9\"\n"}};

static void write_all(const char *path)
{
    poise_error err = {0};

    if (poise_safetensors_write(path, TENSORS, tensors, 2, meta, &err) < 0)
        fail_msg("%s", err.message);
}

static poise_safetensors *read_whole(const char *path)
{
    poise_error err = {0};
    poise_safetensors *f = poise_safetensors_read(path, &err);

    if (!f)
        fail_msg("%s", err.message);
    return f;
}

static void what_is_written_reads_back(void **state)
{
    const fixture *x = *state;
    poise_safetensors *f;

    write_all(x->path);
    f = read_whole(x->path);
    assert_int_equal(poise_safetensors_count(f), TENSORS);
    for (int k = 0; k < TENSORS; k++) {
        const poise_tensor *want = &tensors[k], *got = poise_safetensors_find(f, want->name);

        assert_non_null(got);
        assert_int_equal(got->type, want->type);
        assert_int_equal(got->rank, want->rank);
        for (int d = 0; d < want->rank; d++)
            assert_int_equal(got->dim[d], want->dim[d]);
        assert_int_equal(got->bytes, want->bytes);
        if (want->bytes)
            assert_memory_equal(got->data, want->data, want->bytes);
    }
    assert_null(poise_safetensors_find(f, "none"));
    assert_null(poise_safetensors_find(f, "__metadata__"));
    assert_string_equal(poise_safetensors_meta(f, "format"), "poise");
    assert_string_equal(poise_safetensors_meta(f, "spec"), meta[1].value);
    assert_null(poise_safetensors_meta(f, "none"));
    poise_safetensors_free(f);
    poise_safetensors_free(NULL);
}

static void empty_file_of_tensors_reads_back(void **state)
{
    const fixture *x = *state;
    poise_error err = {0};
    poise_safetensors *f;

    assert_int_equal(poise_safetensors_write(x->path, 0, NULL, 0, NULL, &err), 0);
    f = read_whole(x->path);
    assert_int_equal(poise_safetensors_count(f), 0);
    assert_null(poise_safetensors_meta(f, "format"));
    poise_safetensors_free(f);
}

static void same_content_gives_the_same_bytes(void **state)
{
    const fixture *x = *state;
    poise_error err = {0};
    size_t n = 0, m = 0;
    char *a, *b;

    write_all(x->path);
    a = poise__file_read(x->path, &n, &err);
    write_all(x->path);
    b = poise__file_read(x->path, &m, &err);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
}

/* Buffer and tensors lie where a reader that maps the file wants them. */
static void places_are_aligned(void **state)
{
    const fixture *x = *state;
    poise_error err = {0};
    size_t bytes = 0;
    char *file;
    poise_safetensors *f;
    const char *first;

    write_all(x->path);
    file = poise__file_read(x->path, &bytes, &err);
    assert_non_null(file);
    assert_int_equal(
        (8 + (size_t)(unsigned char)file[0] + 256 * (size_t)(unsigned char)file[1]) % 64, 0);
    free(file);
    f = read_whole(x->path);
    first = poise_safetensors_at(f, 0)->data;
    for (int k = 0; k < TENSORS; k++) {
        const poise_tensor *t = poise_safetensors_at(f, k);

        assert_int_equal((size_t)((const char *)t->data - first) % poise_tensor_size(t->type), 0);
    }
    poise_safetensors_free(f);
}

/* json and struct of Python's library, tests/golden/safetensors.py. */
static void another_reader_reads_it(void **state)
{
    static const char *const lines[] = {
        "step I64  -9223372036854775808\n",
        "a name \"with\" \\ and \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 F64 2 1e-300 0.1\n",
        "expert/0/weight F32 1x2x3 1 -2.5 3e-30 4 5 inf\n",
        "nothing F32 0x4\n",
        "ids I32 3 -1 0 2147483647\n",
        "plugin/state U8 5 0 1 127 128 255\n",
        "format = poise\n",
    };
    const fixture *x = *state;
    char command[1024], text[4096];
    size_t n;
    FILE *p;

    if (system("python3 -c 'import json, struct' 2>/dev/null") != 0)
        skip();
    write_all(x->path);
    snprintf(command, sizeof command,
             "PYTHONIOENCODING=utf-8 python3 '%s/golden/safetensors.py' '%s'", TEST_SOURCE,
             x->path);
    p = popen(command, "r");
    assert_non_null(p);
    n = fread(text, 1, sizeof text - 1, p);
    text[n] = '\0';
    assert_int_equal(pclose(p), 0);
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
        if (!strstr(text, lines[k]))
            fail_msg("no line \"%s\" in:\n%s", lines[k], text);
}

/* ---- damaged files ---- */

static void put(const char *path, const char *header, uint64_t length, size_t buffer)
{
    unsigned char n[8];
    static const char zeros[256];
    const poise__piece pieces[] = {{n, 8}, {header, strlen(header)}, {zeros, buffer}};
    poise_error err = {0};

    for (int k = 0; k < 8; k++)
        n[k] = (unsigned char)(length >> 8 * k & 0xff);
    assert_true(buffer <= sizeof zeros);
    assert_int_equal(poise__file_replace(path, 3, pieces, &err), 0);
}

static void refused(const char *path, const char *what, const char *word)
{
    poise_error err = {0};
    poise_safetensors *f = poise_safetensors_read(path, &err);

    if (f)
        fail_msg("read in spite of: %s", what);
    assert_int_equal(err.code, POISE_E_FORMAT);
    if (!strstr(err.message, word) || !strstr(err.message, path))
        fail_msg("\"%s\" does not say \"%s\" and the path", err.message, word);
}

#define F32(shape, begin, end) \
    "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void bad_headers_are_refused(void **state)
{
    static const struct {
        const char *header;
        size_t buffer;
        const char *word;
    } cases[] = {
        {"", 0, "not JSON"},
        {"{", 0, "not JSON"},
        {"[]", 0, "not a JSON object"},
        {"17", 0, "not JSON"},
        {"{} x", 0, "not JSON"},
        {"{\"a\":" F32("[2]", 0, 8) "", 8, "not JSON"},
        {"{\"a\xff\":" F32("[2]", 0, 8) "}", 8, "not JSON"}, /* not UTF-8 */
        {"{\"a\\u0000\":" F32("[2]", 0, 8) "}", 8, "not JSON"},
        {"{\"a\":" F32("[1]", 0, 4) ",\"a\":" F32("[1]", 4, 8) "}", 8, "duplicate"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "duplicate"},
        {"{\"__metadata__\":[]}", 0, "not an object"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "\"k\" is not text"},
        {"{\"__metadata__\":{\"k\":\"a\",\"k\":\"b\"}}", 0, "duplicate"},
        {"{\"a\":[]}", 0, "\"a\" is not an object"},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype"},
        {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype"},
        {"{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, "\"F16\""},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "no shape"},
        {"{\"a\":" F32("4", 0, 4) "}", 4, "no shape"},
        {"{\"a\":" F32("[1,1,1,1,1]", 0, 4) "}", 4, "no shape of up to 4"},
        {"{\"a\":" F32("[-1]", 0, 4) "}", 4, "dimension 0"},
        {"{\"a\":" F32("[1,1.0]", 0, 4) "}", 4, "dimension 1"},
        {"{\"a\":" F32("[\"1\"]", 0, 4) "}", 4, "dimension 0"},
        {"{\"a\":" F32("[99999999999999999999]", 0, 4) "}", 4, "not JSON"}, /* no int64 */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "no data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "no data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4,
         "no data_offsets"},
        {"{\"a\":" F32("[1]", -4, 0) "}", 4, "no data_offsets"},
        {"{\"a\":" F32("[1]", 4, 0) "}", 4, "no data_offsets"},
        {"{\"a\":" F32("[1]", 0.0, 4) "}", 4, "no data_offsets"},
        {"{\"a\":" F32("[1]", 0, 4) "}", 3, "ends at byte 4"},
        {"{\"a\":" F32("[1]", 8, 12) "}", 8, "ends at byte 12"},
        {"{\"a\":" F32("[2]", 0, 4) "}", 4, "shape"},
        {"{\"a\":" F32("[1]", 0, 8) "}", 8, "shape"},
        {"{\"a\":" F32("[]", 0, 0) "}", 0, "shape"}, /* a scalar has one element */
        /* 2^62 * 4 * 4 bytes is 0 modulo 2^64 */
        {"{\"a\":" F32("[4611686018427387904,4]", 0, 0) "}", 0, "shape"},
        {"{\"a\":" F32("[4294967296,4294967296]", 0, 0) "}", 0, "shape"},
        {"{\"a\":" F32("[4294967296,4294967296,0]", 0, 0) "}", 0, "shape"},
        {"{\"a\":" F32("[2]", 0, 8) ",\"b\":" F32("[1]", 4, 8) "}", 8, "overlaps"},
        {"{\"a\":" F32("[1]", 0, 4) ",\"b\":" F32("[1]", 0, 4) "}", 4, "overlaps"},
        {"{\"a\":" F32("[1]", 0, 4) ",\"b\":" F32("[1]", 8, 12) "}", 12, "leaves a gap"},
        {"{\"a\":" F32("[1]", 4, 8) "}", 8, "leaves a gap"},
        {"{\"a\":" F32("[1]", 0, 4) "}", 5, "its buffer 5"},
        {"{}", 1, "its buffer 1"},
        {"{\"a\":" F32("[1]", 0, 4) ",\"b\":" F32("[0]", 2, 2) "}", 4, "overlaps"},
    };
    const fixture *x = *state;

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        put(x->path, cases[k].header, strlen(cases[k].header), cases[k].buffer);
        refused(x->path, cases[k].header, cases[k].word);
    }
}

static void bad_lengths_are_refused(void **state)
{
    static const struct {
        uint64_t length;
        const char *word;
    } cases[] = {
        {3, "the file ends after 2"},
        {100000001, "100000000 are the most"},
        {UINT64_MAX, "18446744073709551615"},
        {UINT64_MAX - 7, "the file ends"},
        {(uint64_t)1 << 63, "the file ends"},
        {0, "not JSON"},
        {1, "not JSON"},
    };
    const fixture *x = *state;
    poise_error err = {0};

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        put(x->path, "{}", cases[k].length, 0);
        refused(x->path, "a length", cases[k].word);
    }
    for (size_t n = 0; n < 8; n++) {
        assert_int_equal(
            poise__file_replace(x->path, 1, &(poise__piece){"\2\0\0\0\0\0\0\0", n}, &err), 0);
        refused(x->path, "no length", "none of them is a header");
    }
}

/* Even where the file is long enough for it (it has a hole of 100 MB). */
static void header_may_not_be_huge(void **state)
{
    enum { HUGE_HEADER = 100000001 };
    const fixture *x = *state;

    put(x->path, "{}", HUGE_HEADER, 0);
    assert_int_equal(truncate(x->path, 8 + HUGE_HEADER), 0);
    refused(x->path, "a huge header", "100000000 are the most");
}

/* A good file cut anywhere, or with one byte too many. */
static void cut_files_are_refused(void **state)
{
    const fixture *x = *state;
    poise_error err = {0};
    size_t bytes = 0;
    char *file;

    write_all(x->path);
    file = poise__file_read(x->path, &bytes, &err);
    assert_non_null(file);
    for (size_t n = 0; n < bytes; n++) {
        assert_int_equal(poise__file_replace(x->path, 1, &(poise__piece){file, n}, &err), 0);
        refused(x->path, "a cut", "not a whole safetensors file");
    }
    assert_int_equal(poise__file_replace(x->path, 1, &(poise__piece){file, bytes + 1}, &err), 0);
    refused(x->path, "a byte too many", "buffer");
    free(file);
}

/* Any flipped bit of the header gives a file or a message, never a crash: asan watches. */
static void flipped_bits_do_no_harm(void **state)
{
    const fixture *x = *state;
    poise_error err = {0};
    size_t bytes = 0, header;
    char *file;

    write_all(x->path);
    file = poise__file_read(x->path, &bytes, &err);
    assert_non_null(file);
    header = bytes - 65;
    for (size_t n = 0; n < header * 8; n += 3) {
        poise_safetensors *f;

        file[n / 8] = (char)(file[n / 8] ^ 1 << n % 8);
        assert_int_equal(poise__file_replace(x->path, 1, &(poise__piece){file, bytes}, &err), 0);
        f = poise_safetensors_read(x->path, &err);
        for (int k = 0; f && k < poise_safetensors_count(f); k++) {
            const poise_tensor *t = poise_safetensors_at(f, k);
            volatile unsigned char sum = 0;

            for (size_t b = 0; b < t->bytes; b++)
                sum = (unsigned char)(sum + ((const unsigned char *)t->data)[b]);
        }
        poise_safetensors_free(f);
        file[n / 8] = (char)(file[n / 8] ^ 1 << n % 8);
    }
    free(file);
}

/* Other programs write what we would not: unpadded headers, data that lies askew, empty tensors,
 * any order. */
static void foreign_files_are_read(void **state)
{
    static const char header[] = "{\"b\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[1,9]},"
                                 "\"e\":{\"shape\":[0],\"dtype\":\"F32\",\"data_offsets\":[1,1]},"
                                 "\"a\":{\"data_offsets\":[0,1],\"dtype\":\"U8\",\"shape\":[]}}  ";
    const fixture *x = *state;
    double value = 0.1;
    unsigned char n[8] = {sizeof header - 1};
    const poise__piece pieces[] = {{n, 8}, {header, sizeof header - 1}, {"\7", 1}, {&value, 8}};
    poise_error err = {0};
    poise_safetensors *f;
    const poise_tensor *b;

    assert_int_equal(poise__file_replace(x->path, 4, pieces, &err), 0);
    f = read_whole(x->path);
    b = poise_safetensors_find(f, "b");
    assert_non_null(b);
    assert_int_equal((uintptr_t)b->data % sizeof(double), 0);
    assert_true(*(const double *)b->data == value);
    assert_string_equal(poise_safetensors_at(f, 0)->name, "a");
    assert_int_equal(poise_safetensors_at(f, 0)->rank, 0);
    assert_int_equal(*(const unsigned char *)poise_safetensors_at(f, 0)->data, 7);
    assert_int_equal(poise_safetensors_find(f, "e")->bytes, 0);
    poise_safetensors_free(f);
}

static void missing_file_is_named(void **state)
{
    const fixture *x = *state;
    poise_error err = {0};

    assert_null(poise_safetensors_read(x->path, &err));
    assert_int_equal(err.code, POISE_E_SYSTEM);
    assert_non_null(strstr(err.message, x->path));
}

/* ---- what is not written ---- */

static void bad_tensors_are_not_written(void **state)
{
    static const struct {
        poise_tensor tensor;
        const char *word;
    } cases[] = {
        {{"a", POISE_TENSOR_F32, 1, {6}, weights, 20}, "24"},
        {{"a", POISE_TENSOR_F32, 1, {-1}, weights, 0}, "\"a\""},
        {{"a", POISE_TENSOR_F32, 2, {INT64_MAX, 4}, weights, 0}, "\"a\""},
        {{"a", POISE_TENSOR_F32, 5, {1, 1, 1, 1}, weights, 4}, "rank 5"},
        {{"a", (poise_tensor_type)9, 1, {6}, weights, 24}, "type 9"},
        {{"a", POISE_TENSOR_F32, 1, {6}, NULL, 24}, "\"a\""},
        {{"__metadata__", POISE_TENSOR_F32, 1, {6}, weights, 24}, "__metadata__"},
        {{NULL, POISE_TENSOR_F32, 1, {6}, weights, 24}, "called"},
        {{"\xff", POISE_TENSOR_F32, 1, {6}, weights, 24}, "UTF-8"},
        {{"step", POISE_TENSOR_F32, 1, {6}, weights, 24}, "there are two \"step\""},
        {{"\x80", POISE_TENSOR_F32, 1, {6}, weights, 24}, "UTF-8"},
        {{"a\xc3", POISE_TENSOR_F32, 1, {6}, weights, 24}, "UTF-8"},            /* cut */
        {{"\xc0\xaf", POISE_TENSOR_F32, 1, {6}, weights, 24}, "UTF-8"},         /* overlong */
        {{"\xed\xa0\x80", POISE_TENSOR_F32, 1, {6}, weights, 24}, "UTF-8"},     /* surrogate */
        {{"\xf4\x90\x80\x80", POISE_TENSOR_F32, 1, {6}, weights, 24}, "UTF-8"}, /* past the end */
    };
    const fixture *x = *state;

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        poise_tensor both[2] = {tensors[2], cases[k].tensor};
        poise_error err = {0};

        assert_int_equal(poise_safetensors_write(x->path, 2, both, 0, NULL, &err), -1);
        assert_int_equal(err.code, POISE_E_SPEC);
        if (!strstr(err.message, cases[k].word))
            fail_msg("\"%s\" does not say \"%s\"", err.message, cases[k].word);
        assert_int_equal(access(x->path, F_OK), -1);
    }
}

static void bad_metadata_is_not_written(void **state)
{
    static const poise_metadata bad[][2] = {{{"k", "\xff"}, {"l", ""}}, {{"k", "a"}, {"k", "b"}}};
    const fixture *x = *state;
    poise_error err = {0};

    for (int k = 0; k < 2; k++) {
        assert_int_equal(poise_safetensors_write(x->path, 0, NULL, 2, bad[k], &err), -1);
        assert_int_equal(err.code, POISE_E_SPEC);
        assert_int_equal(access(x->path, F_OK), -1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_reads_back),
        TEST(empty_file_of_tensors_reads_back),
        TEST(same_content_gives_the_same_bytes),
        TEST(places_are_aligned),
        TEST(another_reader_reads_it),
        TEST(bad_headers_are_refused),
        TEST(bad_lengths_are_refused),
        TEST(header_may_not_be_huge),
        TEST(cut_files_are_refused),
        TEST(flipped_bits_do_no_harm),
        TEST(foreign_files_are_read),
        TEST(missing_file_is_named),
        TEST(bad_tensors_are_not_written),
        TEST(bad_metadata_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Delimited text: every option of the format, every message about a line that is not of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/delimited.h"
#include "data/number.h"
#include "files.h"

/* Options as letters, so that a case is one line: q quotes off, h header given (a, b), 1 header
 * given (a), s strip ".", ';' ':' "::" separators as they are, t tab. */
static poise_data_spec options(const char *letters)
{
    static const char *const two[] = {"a", "b"};
    poise_data_spec d = spec_of(NULL);
    for (const char *p = letters; *p; p++) {
        if (*p == 'q')
            d.quoted = 0;
        if (*p == 'h' || *p == '1') {
            d.header_in_file = 0;
            d.ncolumn = *p == 'h' ? 2 : 1;
            d.column = two;
        }
        if (*p == 's')
            d.strip = ".";
        if (*p == 'S')
            d.strip = "<end>";
        if (*p == ';')
            d.separator = ", ";
        if (*p == ':')
            d.separator = "::";
        if (*p == 't')
            d.separator = "\t";
    }
    return d;
}

/* The records of a text as "a|b/c|d/", or the error. */
static void cut_all(const char *letters, const void *bytes, size_t n, char *out, size_t size)
{
    poise_error err;
    poise_data_spec d = options(letters);
    const poise__field *f;
    char text[POISE_ERROR_TEXT];
    size_t used = 0;
    int more = -1;
    *out = 0;
    poise__reader *r = poise__reader_memory("t.csv", bytes, n, &err);
    assert_non_null(r);
    poise__delimited *t = poise__delimited_new(&d, r, &err);
    while (t && (more = poise__delimited_next(t, &f, &err)) > 0)
        for (int k = 0; k < poise__delimited_columns(t); k++) {
            assert_int_equal(strlen(f[k].text), f[k].length);
            used += (size_t)snprintf(out + used, size - used, "%s%c", f[k].text,
                                     k + 1 == poise__delimited_columns(t) ? '/' : '|');
        }
    if (more < 0)
        snprintf(out, size, "%s", poise_error_text(&err, text, sizeof text));
    poise__delimited_free(t);
}

#define UNCLOSED                                                                              \
    "a quote is opened here and never closed; write \"\" for a quote inside a field, or set " \
    "`quoted: false` if quotes mean nothing in this file"
#define AFTER \
    "text follows the closing quote of a field; a quote inside a quoted field is written \"\""

static const struct {
    const char *options, *text, *want;
} cases[] = {
    /* records and line ends */
    {"", "a,b\n1,2\n3,4\n", "1|2/3|4/"},
    {"", "a,b\n1,2\n3,4", "1|2/3|4/"},
    {"", "a,b\r\n1,2\r\n3,4\r\n", "1|2/3|4/"},
    {"", "a,b\n1,2\r", "1|2/"},
    {"", "a,b\n\n1,2\n\r\n\n3,4\n\n", "1|2/3|4/"},
    {"", "a,b\n,\n", "|/"},
    {"", "a,b\n 1 , 2\n", " 1 | 2/"},
    {"",
     "\xef\xbb\xbf"
     "a,b\n1,2\n",
     "1|2/"},
    {"", "a,b\n", ""},
    {"", "a,b", ""},
    {"h", "", ""},
    {"h", "1,2\n", "1|2/"},
    {"1", "x\n\ny\n", "x//y/"}, /* one column: an empty line is a missing value */
    /* separators and suffixes */
    {";", "a, b\n1, 2\nx,y, z\n", "1|2/x,y|z/"},
    {":", "a::b\n1::2\n:x::y:\n", "1|2/:x|y:/"},
    {":", "a::b\n1:::2\n", "1|:2/"},
    {"t", "a\tb\n1\t2\n", "1|2/"},
    {"s", "a,b.\n1,2.\n3,4\n5,6..\n", "1|2/3|4/5|6./"},
    {"s", "a,b.\r\n1,2.\r\n", "1|2/"},
    {"S", "a,b<end>\n1,2<end>\n,<end>\n", "1|2/|/"},
    {";sh", "1, 2.\n", "1|2/"},
    /* quotes */
    {"", "a,b\n\"1\",\"2\"\n", "1|2/"},
    {"", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", "x,y|say \"hi\"/"},
    {"", "a,b\n\"\",\"\"\"\"\n", "|\"/"},
    {"", "a,b\nit\"s,5\"\n", "it\"s|5\"/"},
    {"", "a,b\n\"1\n2\",3\n4,5\n", "1\n2|3/4|5/"},
    {"", "a,b\n\"1\r\n2\",3\r\n", "1\r\n2|3/"},
    {"", "a,b\nx,\"\n\n,\n\"\ny,z\n", "x|\n\n,\n/y|z/"},
    {"", "a,b\n\"\"\"\n\"\"\",\"\"\"\"\"\"\n", "\"\n\"|\"\"/"},
    {"s", "a,b.\n\"x.\ny.\",\"2\".\n", "x.\ny.|2/"},
    {"", "\"a\nb\",\"b,\"\n1,2\n", "1|2/"},
    {"", "\xef\xbb\xbf\"a\nx\",b\n1,2\n", "1|2/"},
    {"q", "a,b\n\"1,2\"\n", "\"1|2\"/"},
    {";", "a, b\n\"1, 1\", \"2\"\n", "1, 1|2/"},
    /* errors */
    {"", "", "t.csv:1: error: the file is empty; its first line must name the columns"},
    {"", "\n\n", "t.csv:1: error: the file is empty; its first line must name the columns"},
    {"", "a,b\n1,2\n3\n", "t.csv:3: error: 1 field for 2 columns (separator \",\")"},
    {"", "a,b\n\n1,2,3\n", "t.csv:3: error: 3 fields for 2 columns (separator \",\")"},
    {"", "a,b\n1,2,\n", "t.csv:2: error: 3 fields for 2 columns (separator \",\")"},
    {"t", "a,b\n1\t2\n", "t.csv:2: error: 2 fields for 1 column (separator \"?\")"},
    {"", "a,b\n\"1\n2\",3,4\n5,6\n", "t.csv:2: error: 3 fields for 2 columns (separator \",\")"},
    {"", "a,b\n1,\"2\n3,4\n", "t.csv:2:3: error: " UNCLOSED},
    {"", "a,b\n1,\"2", "t.csv:2:3: error: " UNCLOSED},
    {"", "a,b\n1,2\n\"", "t.csv:3:1: error: " UNCLOSED},
    {"", "a,b\n\"1\n\",\"2\n", "t.csv:3:3: error: " UNCLOSED},
    {"", "a,b\n\"1\"x,2\n", "t.csv:2:4: error: " AFTER},
    {"", "a,b\n1,\"2\" \n", "t.csv:2:6: error: " AFTER},
    {":", "a::b\n\"1\":2\n", "t.csv:2:4: error: " AFTER},
    {"", "a,b,a\n",
     "t.csv:1:5: error: columns 1 and 3 are both called \"a\"; each needs a name of "
     "its own"},
};

static void every_case_is_cut_as_the_format_says(void **state)
{
    (void)state;
    char got[4096];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cut_all(cases[i].options, cases[i].text, strlen(cases[i].text), got, sizeof got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("case %zu [%s] %s\ngave   %s\nwanted %s", i, cases[i].options, cases[i].text,
                     got, cases[i].want);
    }
}

static void a_nul_byte_is_refused_with_its_place(void **state)
{
    (void)state;
    char got[1024];
    static const char one[] = "a,b\n1,2\n3,\0"
                              "4\n",
                      two[] = "a,b\n\"1\nx\0\",2\n";
    cut_all("", one, sizeof one - 1, got, sizeof got);
    assert_non_null(strstr(got, "t.csv:3:3: error: a NUL byte"));
    cut_all("", two, sizeof two - 1, got, sizeof got);
    assert_non_null(strstr(got, "t.csv:3:2: error: a NUL byte"));
}

/* A record of exactly the bound is read, one byte more is not; so also over line breaks. */
static void lines_are_bounded(void **state)
{
    (void)state;
    size_t n = POISE__LINE_MAX;
    char *text = malloc(n + 64), *got = malloc(n + 64);
    assert_non_null(text);
    assert_non_null(got);
    memset(text, 'x', n + 64);
    memcpy(text, "1,", 2);
    strcpy(text + n, "\n3,4\n");
    cut_all("h", text, strlen(text), got, n + 64);
    assert_int_equal(strlen(got), n + 1 + 4);
    assert_string_equal(got + n, "/3|4/");
    strcpy(text + n, "x\n3,4\n");
    cut_all("h", text, strlen(text), got, n + 64);
    assert_non_null(strstr(got, "t.csv:1: error: a line longer than 1048576 bytes"));
    memset(text, '\n', n + 2);
    memcpy(text, "1,2\n3,\"", 7);
    text[n + 30] = 0;
    cut_all("h", text, n + 30, got, n + 64);
    assert_non_null(strstr(got, "error: a line longer than 1048576 bytes"));
    free(text);
    free(got);
}

/* What comes out does not depend on where the reader's buffer ends: lines of many lengths. */
static void lines_survive_the_ends_of_the_buffer(void **state)
{
    (void)state;
    poise_error err;
    size_t cap = 6 << 20, n = 0;
    char *text = malloc(cap);
    assert_non_null(text);
    int rows = 0;
    for (; n + 70000 < cap; rows++) {
        size_t length = (size_t)rows * 7919 % 60000;
        n += (size_t)sprintf(text + n, "%d,\"", rows);
        memset(text + n, 'a' + rows % 26, length);
        for (size_t k = 100; k < length; k += 1000)
            text[n + k] = '\n';
        n += length;
        n += (size_t)sprintf(text + n, "\"\n");
    }
    poise_data_spec d = options("h");
    poise__delimited *t =
        poise__delimited_new(&d, poise__reader_memory("t.csv", text, n, &err), &err);
    assert_non_null(t);
    const poise__field *f;
    uint32_t line = 1;
    for (int i = 0; i < rows; i++) {
        assert_int_equal(poise__delimited_next(t, &f, &err), 1);
        size_t length = (size_t)i * 7919 % 60000;
        assert_int_equal(atoi(f[0].text), i);
        assert_int_equal(f[0].line, line);
        assert_int_equal(f[1].length, length);
        line++;
        for (size_t k = 0; k < length; k++) {
            int breaks = k >= 100 && k % 1000 == 100;
            line += (uint32_t)breaks;
            if (f[1].text[k] != (breaks ? '\n' : 'a' + i % 26))
                fail_msg("row %d, byte %zu", i, k);
        }
    }
    assert_int_equal(poise__delimited_next(t, &f, &err), 0);
    poise__delimited_free(t);
    free(text);
}

static void a_bad_format_is_refused(void **state)
{
    (void)state;
    poise_error err;
    static const char *const separators[] = {"", "\n", "\"", ",\r", NULL};
    for (int i = 0; i < 5; i++) {
        poise_data_spec d = options("h");
        d.separator = separators[i];
        assert_null(poise__delimited_new(&d, poise__reader_memory("t.csv", "1,2", 3, &err), &err));
        assert_int_equal(err.code, POISE_E_SPEC);
        assert_string_equal(err.file, "run.yaml");
    }
    poise_data_spec d = options("h");
    d.ncolumn = 0;
    assert_null(poise__delimited_new(&d, poise__reader_memory("t.csv", "1,2", 3, &err), &err));
    assert_non_null(strstr(err.message, "no columns are named"));
    static const char *const twice[] = {"a", "a"};
    d = options("h");
    d.column = twice;
    assert_null(poise__delimited_new(&d, poise__reader_memory("t.csv", "1,2", 3, &err), &err));
    assert_error(&err, "",
                 "run.yaml:1:1: error: columns 1 and 2 are both called \"a\"; each needs "
                 "a name of its own");
}

static void a_text_in_a_message_is_cut_to_60_bytes(void **state)
{
    (void)state;
    char buf[POISE__SHOWN];
    assert_string_equal(poise__shown("x\ty", buf), "\"x?y\"");
    assert_string_equal(
        poise__shown("123456789012345678901234567890123456789012345678901234567890", buf),
        "\"123456789012345678901234567890123456789012345678901234567890\"");
    assert_string_equal(
        poise__shown("1234567890123456789012345678901234567890123456789012345678901", buf),
        "\"123456789012345678901234567890123456789012345678901234567890\"...");
    /* not in the middle of a character */
    assert_string_equal(
        poise__shown("12345678901234567890123456789012345678901234567890123456789\xc3\xa9", buf),
        "\"12345678901234567890123456789012345678901234567890123456789\"...");
}

static void numbers_are_those_of_strtod(void **state)
{
    (void)state;
    static const char *const good[] = {"0",
                                       "-0",
                                       "1",
                                       "+1",
                                       "007",
                                       ".5",
                                       "5.",
                                       "1e3",
                                       "1E-3",
                                       "-1e+3",
                                       "1.5e22",
                                       "1e23",
                                       "1e-23",
                                       "1e308",
                                       "1e-320",
                                       "0.1",
                                       "1e999",
                                       "-1e999",
                                       "1e-999",
                                       "  7 ",
                                       "\t7",
                                       "0.3",
                                       "123456789012345",
                                       "1234567890123456",
                                       "12345678901234567890123",
                                       "0.000000000000000000000000012345",
                                       "9007199254740993",
                                       "2.2250738585072011e-308",
                                       "179769313486231570e291",
                                       "0.1000000000000000055511151231257827021181583404541015625",
                                       "1700.09",
                                       "22.35"};
    static const char *const bad[] = {"",    " ",    "-",   ".",   "e5",    "1e",
                                      "1e+", "0x10", "inf", "nan", "1.2.3", "1 2",
                                      "--1", "1,5",  "12a", "+-1", "1e5.5"};
    double x;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(poise__number(good[i], strlen(good[i]), &x), 1);
        double want = strtod(good[i], NULL);
        if (memcmp(&x, &want, sizeof x) != 0)
            fail_msg("%s is %.17g, not %.17g", good[i], x, want);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (poise__number(bad[i], strlen(bad[i]), &x))
            fail_msg("\"%s\" was taken for %g", bad[i], x);
    char text[64];
    uint64_t h = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        h ^= h << 13;
        h ^= h >> 7;
        h ^= h << 17;
        snprintf(text, sizeof text, "%.*g", 1 + (int)(h % 17),
                 (double)(int64_t)h * pow(10, (double)(h >> 8 & 63) - 50));
        assert_int_equal(poise__number(text, strlen(text), &x), 1);
        if (x != strtod(text, NULL))
            fail_msg("%s", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_cut_as_the_format_says),
        cmocka_unit_test(a_nul_byte_is_refused_with_its_place),
        cmocka_unit_test(lines_are_bounded),
        cmocka_unit_test(lines_survive_the_ends_of_the_buffer),
        cmocka_unit_test(a_bad_format_is_refused),
        cmocka_unit_test(a_text_in_a_message_is_cut_to_60_bytes),
        cmocka_unit_test(numbers_are_those_of_strtod),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

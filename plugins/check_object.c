/* check_object.c -- the shared object as a file and in memory: symbols, and variables of its own. */
#define _GNU_SOURCE /* dl_iterate_phdr */

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_parts.h"

/* ---- the file ---- */

typedef struct object {
    unsigned char *bytes;
    size_t size;
    const ElfW(Shdr) * section; /* [nsection] */
    size_t nsection;
} object;

typedef struct symbols {
    const ElfW(Sym) * sym;
    size_t n;
    const char *text; /* names; text[size - 1] is 0 */
    size_t size;
} symbols;

static int slurp(const char *path, object *o)
{
    FILE *f = fopen(path, "rb");
    long size = -1;

    if (f && !fseek(f, 0, SEEK_END))
        size = ftell(f);
    if (size > 0 && size < 1L << 28 && (o->bytes = malloc((size_t)size))) {
        rewind(f);
        o->size = fread(o->bytes, 1, (size_t)size, f);
    }
    if (f)
        fclose(f);
    return o->size && o->size == (size_t)size ? 0 : -1;
}

/* `count` things of `size` bytes at `offset`, or NULL where the file does not hold them. */
static const void *part(const object *o, uint64_t offset, uint64_t count, size_t size)
{
    if (offset > o->size || offset % sizeof(void *) || count > (o->size - offset) / size)
        return NULL;
    return o->bytes + offset;
}

static int object_read(const char *path, object *o)
{
    const int own_class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;

    *o = (object){0};
    if (slurp(path, o) < 0 || o->size < sizeof(ElfW(Ehdr)))
        return -1;
    const ElfW(Ehdr) *h = (const void *)o->bytes;
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != own_class ||
        h->e_shentsize != sizeof(ElfW(Shdr)))
        return -1;
    o->section = part(o, h->e_shoff, h->e_shnum, sizeof *o->section);
    o->nsection = o->section ? h->e_shnum : 0;
    return o->nsection ? 0 : -1;
}

static int symbols_read(const object *o, uint32_t type, symbols *s)
{
    for (size_t k = 0; k < o->nsection; k++) {
        const ElfW(Shdr) *h = &o->section[k];
        if (h->sh_type != type || h->sh_link >= o->nsection)
            continue;
        const ElfW(Shdr) *names = &o->section[h->sh_link];
        s->n = h->sh_size / sizeof *s->sym;
        s->sym = part(o, h->sh_offset, s->n, sizeof *s->sym);
        s->size = names->sh_size;
        if (names->sh_offset > o->size || s->size > o->size - names->sh_offset || !s->size)
            return -1;
        s->text = (const char *)o->bytes + names->sh_offset;
        return s->sym && !s->text[s->size - 1] ? 0 : -1;
    }
    return -1;
}

static const char *symbol_name(const symbols *s, size_t k)
{
    return s->sym[k].st_name < s->size ? s->text + s->sym[k].st_name : "";
}

static int dynamic(poise__checking *c, object *o, symbols *s)
{
    if (object_read(poise_plugin_path(c->plugin), o) == 0 && symbols_read(o, SHT_DYNSYM, s) == 0)
        return 0;
    poise__find(c->report, POISE_CHECK_SKIPPED,
                "the file has no table of symbols that can be read");
    free(o->bytes);
    return -1;
}

/* ---- symbols ---- */

/* What compilers and linkers add. */
static int is_tool_chain(const char *name)
{
    static const char *const known[] = {"_init", "_fini", "_edata", "_end", "__bss_start"};
    static const char *const begin[] = {"__asan", "__odr_asan", "__ubsan", "__tsan",      "__gcov",
                                        "__llvm", "__start_",   "__stop_", "__sanitizer", "__prof"};

    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
        if (!strcmp(known[k], name))
            return 1;
    for (size_t k = 0; k < sizeof begin / sizeof begin[0]; k++)
        if (!strncmp(begin[k], name, strlen(begin[k])))
            return 1;
    return 0;
}

static int is_global(const ElfW(Sym) * s)
{
    int bind = ELF64_ST_BIND(s->st_info), visible = ELF64_ST_VISIBILITY(s->st_other);

    return (bind == STB_GLOBAL || bind == STB_WEAK || bind == STB_GNU_UNIQUE) &&
           (visible == STV_DEFAULT || visible == STV_PROTECTED);
}

void poise__check_exports(poise__checking *c)
{
    object o;
    symbols s;

    if (dynamic(c, &o, &s) < 0)
        return;
    for (size_t k = 0; k < s.n; k++) {
        const char *name = symbol_name(&s, k);
        if (s.sym[k].st_shndx == SHN_UNDEF || !is_global(&s.sym[k]) || !name[0] ||
            !strcmp(name, POISE_SYMBOL) || is_tool_chain(name))
            continue;
        if (ELF64_ST_BIND(s.sym[k].st_info) == STB_GLOBAL)
            poise__find(c->report, POISE_CHECK_FAILURE,
                        "it exports %.100s: make it static, or compile with -fvisibility=hidden",
                        name);
        else
            poise__find(c->report, POISE_CHECK_WARNING,
                        "it exports the weak symbol %.100s: link a C++ runtime into it without "
                        "showing it (-fvisibility=hidden)",
                        name);
    }
    free(o.bytes);
}

void poise__check_imports(poise__checking *c)
{
    static const struct {
        const char *what, *name[16];
    } no[] = {
        {"allocates memory",
         {"malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "mmap",
          "strdup", "_Znwm", "_Znam"}},
        {"opens files or writes",
         {"fopen", "open", "openat", "printf", "__printf_chk", "puts", "fprintf", "__fprintf_chk",
          "putchar", "fwrite", "write", "fputs", "fputc"}},
        {"reads a clock", {"time", "clock", "clock_gettime", "gettimeofday"}},
        {"draws random numbers of its own",
         {"rand", "srand", "rand_r", "random", "srandom", "drand48", "getrandom", "arc4random"}},
        {"starts threads", {"pthread_create", "thrd_create", "fork"}},
        {"reads the environment", {"getenv", "secure_getenv"}},
        {"can end the process",
         {"exit", "_exit", "abort", "quick_exit", "__assert_fail", "raise", "longjmp",
          "__longjmp_chk"}},
        {"sets the process up",
         {"setlocale", "signal", "sigaction", "feenableexcept", "fesetround"}},
    };
    object o;
    symbols s;

    if (dynamic(c, &o, &s) < 0)
        return;
    for (size_t k = 0; k < s.n; k++) {
        if (s.sym[k].st_shndx != SHN_UNDEF)
            continue;
        for (size_t j = 0; j < sizeof no / sizeof no[0]; j++)
            for (int i = 0; i < 16 && no[j].name[i]; i++)
                if (!strcmp(no[j].name[i], symbol_name(&s, k)))
                    poise__find(c->report, POISE_CHECK_FAILURE, "it %s: it calls %s()", no[j].what,
                                no[j].name[i]);
    }
    free(o.bytes);
}

/* ---- variables ---- */

enum { MAX_RANGES = 16 };

/* The writable memory of the object, without what is closed after relocation. */
typedef struct memory {
    const void *inside; /* an address in the object: its table */
    uintptr_t base;
    int n;
    struct {
        const unsigned char *from;
        size_t size;
        unsigned char *copy;
    } range[MAX_RANGES];
} memory;

static int holds(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int k = 0; k < info->dlpi_phnum; k++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[k];
        uintptr_t from = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && address >= from && address - from < p->p_memsz)
            return 1;
    }
    return 0;
}

static int gather(struct dl_phdr_info *info, size_t size, void *of)
{
    memory *m = of;
    uintptr_t closed = 0;

    (void)size;
    if (!holds(info, (uintptr_t)m->inside))
        return 0;
    m->base = info->dlpi_addr;
    for (int k = 0; k < info->dlpi_phnum; k++)
        if (info->dlpi_phdr[k].p_type == PT_GNU_RELRO)
            closed = info->dlpi_addr + info->dlpi_phdr[k].p_vaddr + info->dlpi_phdr[k].p_memsz;
    for (int k = 0; k < info->dlpi_phnum && m->n < MAX_RANGES; k++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[k];
        uintptr_t from = info->dlpi_addr + p->p_vaddr, end = from + p->p_memsz;
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
            continue;
        if (from < closed && closed <= end)
            from = closed;
        if (from < end) {
            m->range[m->n].from = (const unsigned char *)from;
            m->range[m->n++].size = end - from;
        }
    }
    return 1;
}

/* The variable at an address of the file, where the object still has its full symbol table. */
static const char *variable_at(const symbols *s, uintptr_t address)
{
    for (size_t k = 0; k < s->n; k++)
        if (ELF64_ST_TYPE(s->sym[k].st_info) == STT_OBJECT && address >= s->sym[k].st_value &&
            address - s->sym[k].st_value < s->sym[k].st_size)
            return symbol_name(s, k);
    return NULL;
}

/* Built to count its coverage in variables, or with closed bytes between them. */
static int is_instrumented(const char *path)
{
    static const char *const begin[] = {"__gcov", "__llvm_prof", "__asan_register", "__tsan_init"};
    object o;
    symbols s = {0};
    int found = 0;

    if (object_read(path, &o) == 0 && symbols_read(&o, SHT_SYMTAB, &s) == 0)
        for (size_t k = 0; k < s.n && !found; k++)
            for (size_t j = 0; j < sizeof begin / sizeof begin[0]; j++)
                found |= strstr(symbol_name(&s, k), begin[j]) == symbol_name(&s, k);
    free(o.bytes);
    return found;
}

static void exercise(poise__checking *c)
{
    static const poise__weather w = {.name = "ordinary signals", .labels = POISE__LABELS_SOME};
    uint32_t n[5];
    int count = poise__task_counts(c->table, n);

    for (int k = 0; k < count; k++) {
        poise__rig *r = poise__rig_new(
            c, &(poise__rig_options){.ntask = n[k], .param = c->table->nparam, .weather = &w},
            POISE_CHECK_NOTE);
        if (r)
            poise__rig_run(r, 0, 8, POISE_CHECK_NOTE);
        poise__rig_free(r);
    }
}

static void report_changes(poise__checking *c, const memory *m)
{
    object o;
    symbols s = {0};

    if (object_read(poise_plugin_path(c->plugin), &o) < 0 || symbols_read(&o, SHT_SYMTAB, &s) < 0)
        s.n = 0;
    poise__scene(c->report, "%s", "");
    for (int k = 0; k < m->n; k++) {
        for (size_t i = 0; i < m->range[k].size; i++) {
            const unsigned char *at = m->range[k].from + i;
            if (!m->range[k].copy || *at == m->range[k].copy[i])
                continue;
            const char *name = variable_at(&s, (uintptr_t)at - m->base);
            poise__find(c->report, POISE_CHECK_FAILURE,
                        "it writes to a variable of its own%s%.100s: what it remembers belongs "
                        "into the state",
                        name ? ": " : "", name ? name : "");
        }
    }
    free(o.bytes);
}

void poise__check_globals(poise__checking *c)
{
    memory m = {0};

    /* The table's copy is the host's; its texts and functions are the object's. */
    memcpy(&m.inside, &c->table->step, sizeof m.inside);
    if (is_instrumented(poise_plugin_path(c->plugin))) {
        poise__find(c->report, POISE_CHECK_SKIPPED,
                    "the object was built for a sanitizer or for coverage");
        return;
    }
    if (!dl_iterate_phdr(gather, &m)) {
        poise__find(c->report, POISE_CHECK_SKIPPED, "the object was not found in memory");
        return;
    }
    for (int k = 0; k < m.n; k++) {
        m.range[k].copy = malloc(m.range[k].size);
        if (m.range[k].copy)
            memcpy(m.range[k].copy, m.range[k].from, m.range[k].size);
    }
    exercise(c);
    report_changes(c, &m);
    for (int k = 0; k < m.n; k++)
        free(m.range[k].copy);
}

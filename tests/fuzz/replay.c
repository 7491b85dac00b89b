/* Runs a fuzzer over the files of folders, without libFuzzer: the corpus as a regression test.
 *
 * usage: replay FOLDER... */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* 1, or 0 where it cannot be read.  The name is told first: a crash has then been named. */
static int replay(const char *path)
{
    static uint8_t bytes[LONGEST];
    FILE *f = fopen(path, "rb");
    if (!f)
        return 0;
    size_t n = fread(bytes, 1, LONGEST, f);
    fclose(f);
    printf("%s\n", path);
    fflush(stdout);
    uint8_t *copy = malloc(n ? n : 1); /* of its size, so that a step past it is seen */
    if (!copy)
        return 0;
    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    return 1;
}

int main(int argc, char **argv)
{
    int n = 0, bad = argc < 2;
    for (int k = 1; k < argc; k++) {
        DIR *d = opendir(argv[k]);
        bad |= d == NULL;
        for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
            char path[1200];
            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "%s/%s", argv[k], e->d_name);
            if (replay(path))
                n++;
            else
                bad = 1;
        }
        if (d)
            closedir(d);
    }
    printf("%d inputs\n", n);
    return bad || n == 0;
}

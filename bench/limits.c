/*
 * The limits of this machine: what a C compiler makes of the same work for the processor it runs on, and what the memory
 * can do. A child process of the benchmarks, so that its rounds stand between those of its rivals.
 *
 *   cc -O3 -march=native -mprefer-vector-width=512 -fno-math-errno -fno-trapping-math -ffinite-math-only \
 *      -fno-signed-zeros limits.c -o limits -lm -pthread
 *
 * Protocol, a line each on stdin and stdout:
 *   time KERNEL COUNT RUNS   the nanoseconds that RUNS runs took
 *   check KERNEL COUNT       the FNV-1a hash of the codes of one run, as 8 hexadecimal digits
 *   quit
 * KERNEL is int8row or uint8tensor, on COUNT floats, a multiple of 4,096, or copy, read1 or read2, on COUNT bytes, a
 * multiple of 512. Anything else is answered by "error".
 *
 * The flags let the compiler use vectors for the largest and smallest value and for rounding; none lets it change a result
 * that is finite: sums, products and quotients stay in order and exact. There are no intrinsics, so the same file is the
 * limit of AVX-512, AVX2 and NEON.
 */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Floats of a row of int8row: a token of 4,096 columns; floats of a step of a range: four vectors of AVX-512. */
enum { COLUMNS = 4096, ALIGNMENT = 4096, STEP = 64 };

/* Nearest integer, ties to even; of GCC in one instruction a vector. */
#if defined(__GNUC__) && !defined(__clang__)
#define NEAREST(x) __builtin_irintf(x)
#else
#define NEAREST(x) ((int32_t)rintf(x))
#endif

/* Values in, codes and scales out; all grow on demand. */
static float *values;
static size_t held;
static int8_t *codes;
static float *scales;

/* Keeps the compiler from leaving a loop out whose result nobody needs. */
static volatile uint64_t sink;

static void *pages(size_t bytes) {
  void *memory = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  if (memory == NULL) exit(1);
  return memory;
}

/* Makes room for `count` floats and fills it with values in [-4, 4) that JavaScript makes too, bit for bit. */
static void reserve(size_t count) {
  if (count <= held) return;
  free(values);
  free(codes);
  free(scales);
  values = pages(count * sizeof(float));
  /* A copy needs as much room as its source. */
  codes = pages(count * sizeof(float));
  scales = pages((count / COLUMNS + 1) * sizeof(float));
  for (size_t i = 0; i < count; i++)
    values[i] = ((float)(((uint32_t)i * 2654435761u) >> 8) / 16777216.0f - 0.5f) * 8.0f;
  memset(codes, 0, count * sizeof(float));
  held = count;
}

/* Rows as `vllm-int8-per-token`: scale = absmax / 127, code = round-half-even(x * (127 / absmax)). */
static void int8row(const float *restrict in, int8_t *restrict out, float *restrict scale, size_t count) {
  for (size_t row = 0; row < count / COLUMNS; row++) {
    const float *x = in + row * COLUMNS;
    int8_t *q = out + row * COLUMNS;
    /* Several maxima at a time: one would wait for itself. */
    float tops[STEP] = {0}, top = 0;
    for (size_t i = 0; i < COLUMNS; i += STEP)
      for (size_t j = 0; j < STEP; j++) {
        float size = fabsf(x[i + j]);
        tops[j] = size > tops[j] ? size : tops[j];
      }
    for (size_t j = 0; j < STEP; j++) top = tops[j] > top ? tops[j] : top;
    scale[row] = top / 127.0f;
    float factor = 127.0f / top;
    for (size_t i = 0; i < COLUMNS; i++) q[i] = (int8_t)NEAREST(x[i] * factor);
  }
}

/* One range for all as `onnx-dynamic`: zero is in it; code = clamp(round-half-even(x / scale) + zero point). */
static void uint8tensor(const float *restrict x, uint8_t *restrict q, float *restrict scale, size_t count) {
  float lows[STEP] = {0}, highs[STEP] = {0}, low = 0, high = 0;
  for (size_t i = 0; i < count; i += STEP)
    for (size_t j = 0; j < STEP; j++) {
      lows[j] = x[i + j] < lows[j] ? x[i + j] : lows[j];
      highs[j] = x[i + j] > highs[j] ? x[i + j] : highs[j];
    }
  for (size_t j = 0; j < STEP; j++) {
    low = lows[j] < low ? lows[j] : low;
    high = highs[j] > high ? highs[j] : high;
  }
  float step = (high - low) / 255.0f;
  float zero = rintf(fminf(fmaxf(-low / step, 0), 255));
  scale[0] = step;
  int32_t offset = (int32_t)zero;
  for (size_t i = 0; i < count; i++) {
    int32_t code = NEAREST(x[i] / step) + offset;
    code = code < 0 ? 0 : code;
    code = code > 255 ? 255 : code;
    q[i] = (uint8_t)code;
  }
}

/* Reads every byte once. */
static uint64_t read_all(const uint64_t *restrict words, size_t count) {
  uint64_t any[STEP / 2] = {0}, all = 0;
  for (size_t i = 0; i + STEP / 2 <= count; i += STEP / 2)
    for (size_t j = 0; j < STEP / 2; j++) any[j] |= words[i + j];
  for (size_t j = 0; j < STEP / 2; j++) all |= any[j];
  return all;
}

/* What one of two threads reads. */
struct half {
  const uint64_t *words;
  size_t count;
  size_t runs;
};

static void *read_half(void *argument) {
  const struct half *half = argument;
  for (size_t run = 0; run < half->runs; run++) sink = read_all(half->words, half->count);
  return NULL;
}

/* Half of the bytes on each of two threads; to start one is part of what it takes, some 50 us for all runs. */
static void read_on_two(size_t bytes, size_t runs) {
  size_t words = bytes / 16;
  struct half first = {(const uint64_t *)values, words, runs};
  struct half second = {(const uint64_t *)values + words, words, runs};
  pthread_t thread;
  if (pthread_create(&thread, NULL, read_half, &second) != 0) exit(1);
  read_half(&first);
  pthread_join(thread, NULL);
}

/* Carries `kernel` out, `runs` times; 0 where there is no such kernel. */
static int execute(const char *kernel, size_t count, size_t runs) {
  if (strcmp(kernel, "read2") == 0) {
    read_on_two(count, runs);
    return 1;
  }
  for (size_t run = 0; run < runs; run++) {
    if (strcmp(kernel, "int8row") == 0) int8row(values, codes, scales, count);
    else if (strcmp(kernel, "uint8tensor") == 0) uint8tensor(values, (uint8_t *)codes, scales, count);
    else if (strcmp(kernel, "copy") == 0) memcpy(codes, values, count);
    else if (strcmp(kernel, "read1") == 0) sink = read_all((const uint64_t *)values, count / 8);
    else return 0;
    /* The memory may have changed, for all the compiler knows, so no run can be left out. */
    __asm__ volatile("" : : "r"(codes), "r"(values) : "memory");
  }
  return 1;
}

/* Floats that a kernel needs room for. */
static size_t floats_of(const char *kernel, size_t count) {
  int is_bytes = strcmp(kernel, "copy") == 0 || strncmp(kernel, "read", 4) == 0;
  return is_bytes ? count / 4 + 1 : count;
}

static uint32_t hash(const uint8_t *bytes, size_t count) {
  uint32_t state = 2166136261u;
  for (size_t i = 0; i < count; i++) state = (state ^ bytes[i]) * 16777619u;
  return state;
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int main(void) {
  char line[128], kernel[32];
  size_t count, runs;
  while (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "quit\n") != 0) {
    if (sscanf(line, "time %31s %zu %zu", kernel, &count, &runs) == 3) {
      reserve(floats_of(kernel, count));
      uint64_t start = now();
      int is_known = execute(kernel, count, runs);
      uint64_t took = now() - start;
      if (is_known) printf("%llu\n", (unsigned long long)took);
      else puts("error");
    } else if (sscanf(line, "check %31s %zu", kernel, &count) == 2) {
      reserve(floats_of(kernel, count));
      if (execute(kernel, count, 1)) printf("%08x\n", hash((const uint8_t *)codes, count));
      else puts("error");
    } else {
      puts("error");
    }
    fflush(stdout);
  }
  return 0;
}

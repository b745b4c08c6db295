/* The crosses of bench/sections/sweep.ts in C, loop by loop as src/lab/sweep has them: how fast this machine could be.
   limit FOLDER REPEATS reads close.f64 and pairs.i32, and prints a line for each path:
   path, median CPU ms, orders, sum of total returns. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double CAPITAL = 10000, FEE = 1e-4, SLIPPAGE = 5e-5;

static void *read_all(const char *folder, const char *name, long *bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file) { perror(path); exit(1); }
  fseek(file, 0, SEEK_END);
  *bytes = ftell(file);
  rewind(file);
  void *data = malloc(*bytes);
  if (fread(data, 1, *bytes, file) != (size_t)*bytes) { perror(path); exit(1); }
  fclose(file);
  return data;
}

static void rolling_mean(const double *x, long n, int window, double *out, double *tails, double *next) {
  for (int i = 0; i <= window; i++) tails[i] = NAN;
  next[window] = 0;
  long start = 0;
  for (; start + window <= n; start += window) {
    long last = start + window - 1;
    double head = 0, tail = 0;
    for (int i = 0; i < window; i++) {
      head += x[start + i];
      tail += x[last - i];
      out[start + i] = (head + tails[i + 1]) / window;
      next[window - 1 - i] = tail;
    }
    out[last] = tail / window;
    double *swap = tails;
    tails = next;
    next = swap;
  }
  double head = 0;
  for (int i = 0; start + i < n; i++) {
    head += x[start + i];
    out[start + i] = (head + tails[i + 1]) / window;
  }
}

typedef struct { double sum, squares, downside, deepest, final; long orders; } sums_t;

static sums_t fused(const double *c, const double *f, const double *s, const double *r, const double *q, const double *d, long n, long first) {
  sums_t t = {0};
  double cash = CAPITAL, peak = CAPITAL;
  long i = first;
  while (i < n && f[i] > s[i]) i++;
  for (;;) {
    while (i < n && f[i] <= s[i]) i++;
    if (i >= n) { t.final = cash; return t; }
    long entry = i;
    double before = cash, quantity = cash / (c[i] * (1 + SLIPPAGE) * (1 + FEE));
    t.orders++;
    i++;
    while (i < n && f[i] >= s[i]) i++;
    long last = i - 1;
    double ratio = quantity * c[entry] / before - 1;
    t.sum += ratio + r[last] - r[entry];
    t.squares += ratio * ratio + q[last] - q[entry];
    t.downside += (ratio < 0 ? ratio * ratio : 0) + d[last] - d[entry];
    double top = peak / quantity, floor = top * (1 - t.deepest);
    for (long k = entry; k < i; k++) {
      if (c[k] > top) { top = c[k]; floor = top * (1 - t.deepest); }
      else if (c[k] < floor) { t.deepest = 1 - c[k] / top; floor = c[k]; }
    }
    peak = top * quantity;
    if (i >= n) { t.final = quantity * c[n - 1]; return t; }
    cash = quantity * c[i] * (1 - SLIPPAGE) * (1 - FEE);
    ratio = cash / (quantity * c[last]) - 1;
    t.sum += ratio;
    t.squares += ratio * ratio;
    if (ratio < 0) t.downside += ratio * ratio;
    if (cash > peak) peak = cash;
    else if (1 - cash / peak > t.deepest) t.deepest = 1 - cash / peak;
    t.orders++;
    i++;
  }
}

static sums_t general(const double *c, const double *f, const double *s, uint8_t *flags, double *equity, long n, long first) {
  sums_t t = {0};
  memset(flags, 0, n);
  for (long i = first; i < n;) {
    if (f[i] > s[i]) while (i < n && f[i] > s[i]) i++;
    else if (f[i] < s[i]) while (i < n && f[i] < s[i]) i++;
    else i++;
    if (i < n) flags[i] = f[i] > s[i] ? 1 : f[i] < s[i] ? 2 : 0;
  }
  double cash = CAPITAL, quantity = 0, previous = CAPITAL, peak = CAPITAL, floor = CAPITAL;
  long i = 0;
  long *fills = malloc((n + 2) * sizeof *fills);
  while (i < n) {
    while (i < n && !(flags[i] & 1)) equity[i++] = cash;
    if (i >= n) break;
    double price = c[i] * (1 + SLIPPAGE);
    quantity = cash / (price * (1 + FEE));
    cash -= quantity * price * (1 + FEE);
    fills[t.orders++] = i;
    equity[i] = cash + quantity * c[i];
    for (i++; i < n; i++) {
      equity[i] = cash + quantity * c[i];
      if (flags[i] & 2) break;
    }
    if (i >= n) break;
    cash += quantity * c[i] * (1 - SLIPPAGE) * (1 - FEE);
    fills[t.orders++] = i;
    equity[i++] = cash;
  }
  for (long o = 0; o < t.orders; o += 2) {
    long end = o + 1 < t.orders ? fills[o + 1] + 1 : n;
    for (long k = fills[o]; k < end; k++) {
      double value = equity[k], ratio = value / previous - 1, loss = (ratio - fabs(ratio)) * 0.5;
      previous = value;
      t.sum += ratio;
      t.squares += ratio * ratio;
      t.downside += loss * loss;
      if (value < floor) { t.deepest = 1 - value / peak; floor = value; }
      else if (value > peak) { peak = value; floor = value * (1 - t.deepest); }
    }
  }
  free(fills);
  t.final = previous;
  return t;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **words) {
  if (count != 3) { fprintf(stderr, "limit FOLDER REPEATS\n"); return 2; }
  int repeats = atoi(words[2]);
  long bytes, pair_bytes;
  double *close = read_all(words[1], "close.f64", &bytes);
  int32_t *pairs = read_all(words[1], "pairs.i32", &pair_bytes);
  long n = bytes / 8, points = pair_bytes / 8;
  int widest = 1;
  for (long p = 0; p < 2 * points; p++) if (pairs[p] > widest) widest = pairs[p];
  double **means = calloc(widest + 1, sizeof *means), *tails = malloc((widest + 1) * 8), *next = malloc((widest + 1) * 8), *equity = malloc(n * 8), *running = malloc(3 * n * 8), *ms = malloc(repeats * 8);
  uint8_t *flags = malloc(n);
  for (long p = 0; p < 2 * points; p++) if (!means[pairs[p]]) means[pairs[p]] = malloc(n * 8);
  for (int is_fused = 0; is_fused < 2; is_fused++) {
    long orders = 0;
    double returns = 0, check = 0;
    for (int repeat = -1; repeat < repeats; repeat++) {
      clock_t start = clock();
      orders = 0;
      returns = 0;
      for (int w = 1; w <= widest; w++) if (means[w]) rolling_mean(close, n, w, means[w], tails, next);
      if (is_fused) {
        double a = 0, b = 0, d = 0;
        for (long i = 0; i < n; i++) {
          double ratio = i ? close[i] / close[i - 1] - 1 : 0;
          running[i] = a += ratio;
          running[n + i] = b += ratio * ratio;
          double loss = (ratio - fabs(ratio)) * 0.5;
          running[2 * n + i] = d += loss * loss;
        }
      }
      for (long p = 0; p < points; p++) {
        int fast = pairs[2 * p], slow = pairs[2 * p + 1];
        long first = (fast > slow ? fast : slow) - 1;
        sums_t t = is_fused ? fused(close, means[fast], means[slow], running, running + n, running + 2 * n, n, first)
                            : general(close, means[fast], means[slow], flags, equity, n, first);
        orders += t.orders;
        returns += t.final / CAPITAL - 1;
        check += t.sum + t.squares + t.downside + t.deepest;
      }
      if (repeat >= 0) ms[repeat] = (clock() - start) * 1000.0 / CLOCKS_PER_SEC;
    }
    qsort(ms, repeats, sizeof *ms, by_value);
    printf("%s %.3f %ld %.17g %g\n", is_fused ? "fused" : "general", ms[repeats / 2], orders, returns, check);
  }
  return 0;
}

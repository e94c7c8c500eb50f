#pragma once

// The entry points of libgomp that a compiler with OpenMP calls for `#pragma omp parallel`.
// Swift has no such pragma, so `Parallel.swift` calls them itself: one pool serves oneDNN, OpenBLAS and our kernels.
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
int omp_get_max_threads(void);
int omp_in_parallel(void);
void omp_set_num_threads(int threads);

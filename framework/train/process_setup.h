#pragma once

#include <cstdint>

namespace coppice::train {

/// Makes this process fit for training, before anything else: glibc keeps freed tensors instead of
/// giving them back to the kernel, waiting threads of OpenMP and OpenBLAS sleep instead of
/// spinning, and OpenBLAS uses AVX-512 where there is some.
///
/// The latter are read from the environment while the libraries load, so the program starts
/// itself once more when they are missing; a parent that sets them saves that time. Does not return
/// then.
void set_up_process(char** argv);

/// OpenMP threads for training: those asked for, or with 0 as many of this rank's share of the
/// available ones (the cores, or OMP_NUM_THREADS) as the multiply-adds of a batch's forward pass
/// keep busy. Threads that meet every few microseconds cost more than they bring: a 784-100-100-10
/// network at batch 128 trains fastest on one.
int threads_to_train_with(int64_t asked, int64_t batch_macs, int64_t ranks_here = 1);

/// From here on at most `threads` (> 0) compute at once, in OpenMP and in OpenBLAS, which has
/// threads of its own.
void use_threads(int threads);

}  // namespace coppice::train

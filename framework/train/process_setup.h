#pragma once

namespace coppice::train {

/// Makes this process fit for training, before anything else: glibc keeps freed tensors instead of
/// giving them back to the kernel, OpenMP's waiting threads sleep instead of spinning, and OpenBLAS
/// uses AVX-512 where there is some.
///
/// The latter two are read from the environment while the libraries load, so the program starts
/// itself once more when they are missing; a parent that sets them saves that time. Does not return
/// then.
void set_up_process(char** argv);

}  // namespace coppice::train

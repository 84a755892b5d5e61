#pragma once

/// Before a function whose loops the compiler shall vectorise for several generations of x86: one
/// copy for each, picked when the program is loaded. Elsewhere, and under AddressSanitizer (which
/// is not ready when the copy is picked), a plain function.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define COPPICE_FOR_EVERY_CPU \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define COPPICE_FOR_EVERY_CPU
#endif

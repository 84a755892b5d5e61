#include "release/sodium.h"

#include <sodium.h>

#include "core/error.h"

namespace coppice::release {

void init_sodium() {
  if (sodium_init() < 0) {
    throw core::Error(
        core::ErrorKind::Io,
        "signatures: the system gives no random numbers; check that /dev/urandom is readable");
  }
}

}  // namespace coppice::release

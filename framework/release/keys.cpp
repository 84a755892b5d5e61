#include "release/keys.h"

#include <fmt/format.h>
#include <sodium.h>

#include "core/error.h"
#include "release/sodium.h"

namespace coppice::release {

KeyPair generate_keys() {
  init_sodium();
  KeyPair keys{core::Bytes(crypto_sign_PUBLICKEYBYTES), core::Bytes(crypto_sign_SECRETKEYBYTES)};
  crypto_sign_keypair(octets(std::span(keys.public_key)), octets(std::span(keys.secret_key)));
  return keys;
}

KeyPair keys_from_seed(std::span<const std::byte> seed) {
  init_sodium();
  if (seed.size() != crypto_sign_SEEDBYTES) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("key seed of {} bytes; pass {}", seed.size(), crypto_sign_SEEDBYTES));
  }
  KeyPair keys{core::Bytes(crypto_sign_PUBLICKEYBYTES), core::Bytes(crypto_sign_SECRETKEYBYTES)};
  crypto_sign_seed_keypair(
      octets(std::span(keys.public_key)), octets(std::span(keys.secret_key)), octets(seed));
  return keys;
}

}  // namespace coppice::release

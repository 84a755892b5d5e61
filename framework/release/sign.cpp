#include <utility>

#include <sodium.h>

#include "core/error.h"
#include "core/hash.h"
#include "release/release.h"
#include "release/sodium.h"

namespace coppice::release {

Release sign(Manifest manifest, core::Bytes artefact, const KeyPair& keys) {
  init_sodium();
  if (keys.secret_key.size() != crypto_sign_SECRETKEYBYTES) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "signing: the secret key is not 64 bytes; load it with load_or_create_keys");
  }
  manifest.artefact_hash = core::sha256(artefact);
  manifest.artefact_bytes = static_cast<int64_t>(artefact.size());
  Release release;
  release.manifest = to_json(manifest);
  release.artefact = std::move(artefact);
  release.signature.resize(crypto_sign_BYTES);
  crypto_sign_detached(octets(std::span(release.signature)),
                       nullptr,
                       octets(std::span(std::as_const(release.manifest))),
                       release.manifest.size(),
                       octets(std::span(std::as_const(keys.secret_key))));
  return release;
}

}  // namespace coppice::release

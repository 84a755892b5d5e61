#include <sodium.h>

#include "core/error.h"
#include "core/hash.h"
#include "release/release.h"
#include "release/runtime_format.h"
#include "release/sodium.h"

namespace coppice::release {

namespace {

constexpr const char* kBadPublicKey =
    "release check: the public key is not 32 bytes; install the publisher's release.pub";
constexpr const char* kBadSignature =
    "release refused: the signature does not fit; fetch it again, or check that release.pub is the "
    "publisher's";
constexpr const char* kNewerRuntime =
    "release refused: it needs a newer runtime; update coppice on this device first";
constexpr const char* kOldCounter =
    "release refused: its counter is not above the installed one; publish the content again under "
    "a higher counter";
constexpr const char* kExpired =
    "release refused: it has expired; publish it again with a later expiry, or set this device's "
    "clock";
constexpr const char* kOtherArtefact =
    "release refused: the artefact differs from its manifest; fetch the artefact again";

[[noreturn]] void refuse(const char* why) {
  throw core::Error(core::ErrorKind::Refused, why);
}

}  // namespace

Manifest verify_offer(std::span<const std::byte> manifest,
                      std::span<const std::byte> signature,
                      std::span<const std::byte> public_key,
                      uint64_t installed_counter,
                      core::Timestamp now) {
  init_sodium();
  if (public_key.size() != crypto_sign_PUBLICKEYBYTES) {
    throw core::Error(core::ErrorKind::InvalidArgument, kBadPublicKey);
  }
  if (signature.size() != crypto_sign_BYTES ||
      crypto_sign_verify_detached(
          octets(signature), octets(manifest), manifest.size(), octets(public_key)) != 0) {
    refuse(kBadSignature);
  }
  Manifest result = manifest_from_json(manifest);
  if (runtime_format(result.required_runtime).value() > kRuntimeFormat) {
    refuse(kNewerRuntime);
  }
  if (result.counter <= installed_counter) {
    refuse(kOldCounter);
  }
  if (result.expires_ms != 0 && core::to_millis(now) >= result.expires_ms) {
    refuse(kExpired);
  }
  return result;
}

Manifest verify(const Release& release,
                std::span<const std::byte> public_key,
                uint64_t installed_counter,
                core::Timestamp now) {
  Manifest result =
      verify_offer(release.manifest, release.signature, public_key, installed_counter, now);
  if (static_cast<int64_t>(release.artefact.size()) != result.artefact_bytes ||
      core::sha256(release.artefact) != result.artefact_hash) {
    refuse(kOtherArtefact);
  }
  return result;
}

}  // namespace coppice::release

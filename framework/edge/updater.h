#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "core/clock.h"
#include "link/message.h"
#include "release/release.h"

namespace coppice::edge {

/// Takes releases: verifies the offer, fetches the artefact in chunks that resume after a restart,
/// verifies the whole, has it tried, and only then installs it (`current/`, swapped by a rename)
/// and puts it in service. A refused one leaves the installed release as it was, on disk and in
/// service. Not thread-safe.
class Updater {
 public:
  /// Builds and tries an artefact; throws when it can't be run. The returned function puts it in
  /// service and does not fail.
  using Prepare = std::function<std::function<void()>(std::span<const std::byte>)>;

  /// Throws Error{NotFound, Io} when `folder` can't be made.
  Updater(std::filesystem::path folder,
          core::Bytes public_key,
          const core::Clock& clock,
          Prepare prepare);

  /// Puts in service what is installed, if anything. An installed release that no longer verifies
  /// is refused like any other; then only releases not older than it are taken, itself included.
  void start();

  /// An offer of the installed release is none; one that is not newer than what is being fetched
  /// changes nothing.
  void offer(const link::ReleaseOffer& offer);

  /// Ignored unless it is the one asked for: deliveries are repeated and late.
  void chunk(const link::Chunk& chunk);

  /// The chunk to ask for next, if an artefact is being fetched.
  std::optional<link::ChunkRequest> wanted() const;

  uint64_t counter() const { return counter_; }  ///< of the release in service; 0: none

  struct Refusal {
    uint64_t counter = 0;  ///< of the refused release; 0 when its signature is not good
    std::string why;
  };

  /// The last refusal since the last call, if any.
  std::optional<Refusal> take_refusal();

 private:
  struct Incoming {
    link::ReleaseOffer offer;
    release::Manifest manifest;
    int64_t received = 0;  ///< bytes, in the part file
  };

  release::Manifest check(const link::ReleaseOffer& offer) const;
  uint64_t signed_counter(const link::ReleaseOffer& offer) const;
  void begin(const link::ReleaseOffer& offer, const release::Manifest& manifest);
  void install();
  void attempt(const std::function<void()>& step);
  void adopt(const release::Manifest& manifest, core::Bytes bytes);
  std::filesystem::path part_file(const std::string& hash) const;

  std::filesystem::path folder_;
  core::Bytes public_key_;
  const core::Clock& clock_;
  Prepare prepare_;
  uint64_t counter_ = 0;
  uint64_t floor_ = 0;  ///< counters up to it are refused
  std::string hash_;
  core::Bytes installed_manifest_;
  std::optional<Incoming> incoming_;
  std::optional<Refusal> refusal_;
};

}  // namespace coppice::edge

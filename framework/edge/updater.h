#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/clock.h"
#include "link/message.h"
#include "release/release.h"

namespace coppice::edge {

/// Takes releases: verifies the offer, fetches the artefact in chunks that resume after a restart,
/// verifies the whole, has it tried, and only then installs it (`current/`, swapped by a rename). A
/// refused one leaves the installed release as it was.
class Updater {
 public:
  using TryArtefact =
      std::function<void(std::span<const std::byte>)>;  ///< throws when it can't be run

  Updater(std::filesystem::path folder,
          core::Bytes public_key,
          const core::Clock& clock,
          TryArtefact try_artefact);

  /// Loads what is installed, if anything. An installed release that no longer verifies is refused
  /// like any other.
  void start();

  void offer(const link::ReleaseOffer& offer);
  void chunk(const link::Chunk& chunk);

  /// The chunk to ask for next, if an artefact is being fetched.
  std::optional<link::ChunkRequest> wanted() const;

  uint64_t counter() const { return counter_; }  ///< of the installed release; 0: none

  const std::string& artefact_hash() const { return hash_; }

  /// Why the last offer was refused; empty when it was not. Cleared by reading.
  std::string take_error();

 private:
  struct Incoming {
    link::ReleaseOffer offer;
    release::Manifest manifest;
    core::Bytes data;
  };

  void refuse(const std::string& why);
  void install();
  std::filesystem::path part_file(const std::string& hash) const;

  std::filesystem::path folder_;
  core::Bytes public_key_;
  const core::Clock& clock_;
  TryArtefact try_artefact_;
  uint64_t counter_ = 0;
  std::string hash_;
  std::optional<Incoming> incoming_;
  std::string error_;
};

}  // namespace coppice::edge

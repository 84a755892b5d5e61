#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/files.h"
#include "release/release.h"

namespace coppice::cloud {

/// "canary": on some devices; "field": on all; "rolled_back"; "replaced".
struct ReleaseRecord {
  release::Manifest manifest;
  core::Bytes manifest_bytes;
  core::Bytes signature;
  std::string state;
};

/// Models, data-set versions, releases and what came from what: SQLite beside a content-addressed
/// folder. Everything written is durable on return. Throws Error{NotFound, Io}, Error{Corrupt} for
/// a damaged database. Not thread-safe.
class Registry {
 public:
  /// Without `wait_for_disk` a power cut may undo the last records, in order; a kill does not.
  explicit Registry(const std::filesystem::path& folder, bool wait_for_disk = true);
  ~Registry();

  /// Stores bytes under their SHA-256; returns it. Idempotent; mends an object that was altered.
  std::string put_object(std::span<const std::byte> bytes);
  /// Throws Error{NotFound, Corrupt}: the bytes are verified.
  core::Bytes get_object(const std::string& hash) const;

  void record_model(const std::string& hash,
                    const std::string& role,
                    const std::map<std::string, double>& metrics,
                    core::Timestamp when);
  /// "child `relation` parent": ("<student>", "distilled_from", "<teacher>"). Idempotent.
  void record_lineage(const std::string& child,
                      const std::string& relation,
                      const std::string& parent);

  struct Ancestor {
    std::string relation;
    std::string parent;
  };

  std::vector<Ancestor> ancestors(const std::string& child) const;

  uint64_t next_counter() const;
  /// Stores artefact, manifest and signature. Throws Error{Refused} when the counter is not above
  /// all earlier ones.
  void record_release(const release::Release& release, const std::string& state);
  /// Throws Error{NotFound}.
  void set_release_state(uint64_t counter, const std::string& state);
  std::optional<ReleaseRecord> find_release(uint64_t counter) const;
  std::vector<ReleaseRecord> releases() const;  ///< by counter
  /// Throws Error{NotFound, Corrupt}: the artefact's bytes are verified.
  release::Release load_release(uint64_t counter) const;

  /// Small numbers of the service that must survive a restart.
  void remember(const std::string& key, int64_t value);
  std::optional<int64_t> recall(const std::string& key) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::cloud

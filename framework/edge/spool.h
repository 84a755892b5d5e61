#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "link/message.h"

namespace coppice::edge {

/// Samples that wait for the cloud, on disk (SQLite) and bounded: when full, the least valuable
/// that is not under way is evicted. A sample leaves the spool only when the cloud has it durably.
/// Survives a kill at any moment. Not thread-safe.
class Spool {
 public:
  /// Throws Error{Io, Corrupt}.
  Spool(const std::filesystem::path& file, int64_t capacity_bytes);
  ~Spool();

  /// The first of `count` sequence numbers of this device; none is ever given out twice, even after
  /// a restart.
  int64_t reserve_sequences(int64_t count);

  /// Small numbers that must survive a restart (the day's budget). 0 when never set.
  void remember(const std::string& key, int64_t value);
  int64_t recall(const std::string& key) const;

  /// Adds samples with their values in one transaction, then evicts down to the capacity. A sample
  /// larger than the whole spool is evicted at once.
  struct Entry {
    link::Sample sample;
    double value = 0;
  };

  void add(const std::vector<Entry>& entries);

  /// The most valuable samples not yet under way, of at most `max_bytes` payload and `max_count`;
  /// from now on under way in `envelope`.
  std::vector<link::Sample> take(const std::string& envelope, int64_t max_count, int64_t max_bytes);

  /// The envelopes under way, oldest first, and what is in one: for sending again.
  std::vector<std::string> under_way() const;
  std::vector<link::Sample> contents(const std::string& envelope) const;

  /// The cloud has it durably: forget its samples. Unknown ids are ignored.
  void acknowledge(const std::vector<std::string>& envelopes);

  int64_t count() const;    ///< samples in the spool, under way included
  int64_t waiting() const;  ///< samples not under way
  int64_t payload_bytes() const;
  int64_t evicted() const;  ///< since it was made

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::edge

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "link/message.h"

namespace coppice::edge {

/// Samples that wait for the cloud, on disk (SQLite) and bounded: when full, the least valuable
/// that is not under way is evicted, the oldest of equals first. A sample leaves the spool only
/// when the cloud has it durably, or evicted.
///
/// Survives a kill at any moment. A power cut may take back the last moments, but no number is ever
/// given out twice. Every method throws Error{Io} on a full disk, and then changes nothing, and
/// Error{Corrupt} for a damaged file. Not thread-safe.
class Spool {
 public:
  Spool(const std::filesystem::path& file, int64_t capacity_bytes);
  ~Spool();

  /// The first of `count` sequence numbers of this device, from 1. Without gaps until the spool is
  /// opened again.
  int64_t reserve_sequences(int64_t count);

  /// The number of a message of this device, from 1.
  int64_t next_message();

  /// Small numbers that must survive a restart (the day's budget). 0 when never set.
  void remember(const std::string& key, int64_t value);
  int64_t recall(const std::string& key) const;

  struct Entry {
    link::Sample sample;
    double value = 0;
  };

  /// Adds samples with their values in one transaction, then evicts down to the capacity. A sample
  /// larger than the whole spool, or than a message may hold, is evicted at once and alone.
  void add(const std::vector<Entry>& entries);

  /// The most valuable samples that are not under way, the oldest of equals first: at most
  /// `max_count`, and as many as fit into `max_payload_bytes`, but at least one of any size.
  std::vector<link::Sample> best(int64_t max_count, int64_t max_payload_bytes) const;

  /// From now on these samples are under way in `envelope`.
  void start(const std::string& envelope, const std::vector<link::Sample>& samples);

  /// What is under way in `envelope` waits again.
  void put_back(const std::string& envelope);

  /// Gives up a sample that is not under way.
  void evict(int64_t sequence);

  /// The envelopes under way, oldest first, and what is in one: for sending again.
  std::vector<std::string> under_way() const;
  std::vector<link::Sample> contents(const std::string& envelope) const;

  /// The cloud has it durably: forget its samples. Unknown ids are ignored.
  void acknowledge(const std::vector<std::string>& envelopes);

  int64_t count() const;    ///< samples in the spool, under way included
  int64_t waiting() const;  ///< samples not under way
  int64_t payload_bytes() const;
  int64_t added() const;    ///< samples since it was made
  int64_t evicted() const;  ///< of those

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice::edge

#pragma once

#include <string>
#include <vector>

#include "core/files.h"
#include "core/rng.h"
#include "edge/spool.h"

namespace coppice::edge::testing {

/// Bytes that no compressor makes smaller.
inline core::Bytes noise(size_t size, uint64_t seed) {
  core::Rng rng(seed);
  core::Bytes bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(rng.below(256));
  }
  return bytes;
}

inline Spool::Entry entry(int64_t sequence, double value, size_t payload_bytes = 100) {
  link::Sample sample;
  sample.sequence = sequence;
  sample.payload = noise(payload_bytes, static_cast<uint64_t>(sequence));
  sample.predicted = 3;
  sample.confidence = 0.25;
  sample.feedback = 2;
  sample.reason = "misclassified";
  sample.inclusion_probability = 0.5;
  sample.captured_ms = 1000 + sequence;
  sample.model_hash = std::string(64, 'a');
  return {sample, value};
}

inline std::vector<int64_t> sequences(const std::vector<link::Sample>& samples) {
  std::vector<int64_t> result;
  for (const link::Sample& sample : samples) {
    result.push_back(sample.sequence);
  }
  return result;
}

inline constexpr int64_t kAnyBytes = int64_t{1} << 40;

}  // namespace coppice::edge::testing

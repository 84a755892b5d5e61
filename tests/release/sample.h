#pragma once

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "release/release.h"

namespace coppice::release {

inline core::Bytes to_bytes(std::string_view text) {
  const auto bytes = core::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

inline KeyPair test_keys(uint8_t fill = 7) {
  return keys_from_seed(core::Bytes(32, std::byte{fill}));
}

inline core::Bytes sample_artefact(size_t size = 300) {
  core::Bytes artefact(size);
  for (size_t i = 0; i < size; ++i) {
    artefact[i] = static_cast<std::byte>(i * 37 + 11);
  }
  return artefact;
}

/// Counter 5, valid until 2000 ms.
inline Manifest sample_manifest() {
  Manifest m;
  m.name = "fashion-mnist";
  m.counter = 5;
  m.created_ms = 1000;
  m.expires_ms = 2000;
  m.parent_hash = core::sha256("parent");
  m.reason = "retrain";
  m.metrics = {{"accuracy", 0.9125}, {"latency_ms", 1.5}};
  return m;
}

inline constexpr uint64_t kInstalled = 4;

inline core::Timestamp at_ms(int64_t ms) {
  return core::from_millis(ms);
}

/// The kind of error that `action` throws; fails the test when it throws none.
template <class Action>
core::ErrorKind kind_of(Action action) {
  try {
    action();
  } catch (const core::Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.kind();
  }
  ADD_FAILURE() << "no error was thrown";
  return core::ErrorKind::Internal;
}

}  // namespace coppice::release

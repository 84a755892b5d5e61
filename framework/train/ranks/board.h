#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace coppice::train {

/// Counters and notes that all ranks see, wherever they are kept. Throws std::exception of any kind
/// when that place has gone; a call may hang when it vanished without a word.
class Board {
 public:
  virtual ~Board() = default;

  /// Adds to a counter, 0 at first, and returns its new value.
  virtual int64_t add(const std::string& counter, int64_t value) = 0;
  virtual void write(const std::string& note, const std::string& text) = 0;
  /// Nothing as long as nobody wrote it.
  virtual std::optional<std::string> read(const std::string& note) = 0;
};

}  // namespace coppice::train

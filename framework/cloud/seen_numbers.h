#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

namespace coppice::cloud {

/// Which of a sender's numbered messages were taken: delivery at least once and in any order
/// becomes effect once. Remembers the newest `window` exactly; what is older than all of them
/// counts as taken.
class SeenNumbers {
 public:
  explicit SeenNumbers(size_t window = 256) : window_(window) {}

  /// Whether it comes for the first time.
  bool take(uint64_t number);

  /// The highest taken so far; 0 before the first.
  uint64_t newest() const { return seen_.empty() ? 0 : *seen_.rbegin(); }

 private:
  size_t window_;
  std::optional<uint64_t> floor_;
  std::set<uint64_t> seen_;
};

/// The number in an id "<sender>/<number>"; nothing for any other text.
std::optional<uint64_t> message_number(std::string_view id, std::string_view sender);

}  // namespace coppice::cloud

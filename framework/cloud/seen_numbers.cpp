#include "cloud/seen_numbers.h"

#include <charconv>

namespace coppice::cloud {

bool SeenNumbers::take(uint64_t number) {
  if ((floor_ && number <= *floor_) || !seen_.insert(number).second) {
    return false;
  }
  if (seen_.size() > window_) {
    floor_ = *seen_.begin();
    seen_.erase(seen_.begin());
  }
  return true;
}

std::optional<uint64_t> message_number(std::string_view id, std::string_view sender) {
  if (!id.starts_with(sender) || id.size() < sender.size() + 2 || id[sender.size()] != '/') {
    return std::nullopt;
  }
  const char* begin = id.data() + sender.size() + 1;
  const char* end = id.data() + id.size();
  uint64_t number = 0;
  const auto [stop, failed] = std::from_chars(begin, end, number);
  return failed == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

}  // namespace coppice::cloud

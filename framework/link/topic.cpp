#include <fmt/format.h>

#include "core/error.h"
#include "link/transport.h"

namespace coppice::link {

namespace {

constexpr size_t kMaxTopicBytes = 65535;  // MQTT's length field has 16 bits

/// Cuts the first level off; `more` tells whether others follow.
std::string_view take_level(std::string_view& rest, bool& more) {
  const size_t slash = rest.find('/');
  const std::string_view level = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest.remove_prefix(more ? slash + 1 : rest.size());
  return level;
}

bool has_legal_size(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTopicBytes &&
         text.find('\0') == std::string_view::npos;
}

}  // namespace

bool is_valid_topic(std::string_view topic) {
  return has_legal_size(topic) && topic.find_first_of("+#") == std::string_view::npos;
}

bool is_valid_filter(std::string_view filter) {
  if (!has_legal_size(filter)) {
    return false;
  }
  bool more = true;
  while (more) {
    const std::string_view level = take_level(filter, more);
    const bool wildcard = level == "+" || (level == "#" && !more);
    if (!wildcard && level.find_first_of("+#") != std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool topic_matches(std::string_view filter, std::string_view topic) {
  if (!is_valid_filter(filter) || !is_valid_topic(topic)) {
    return false;
  }
  if (topic.front() == '$' && (filter.front() == '+' || filter.front() == '#')) {
    return false;
  }
  bool more_filter = true;
  bool more_topic = true;
  while (more_filter && more_topic) {
    const std::string_view wanted = take_level(filter, more_filter);
    if (wanted == "#") {
      return true;
    }
    const std::string_view level = take_level(topic, more_topic);
    if (wanted != "+" && wanted != level) {
      return false;
    }
  }
  // "a/#" also matches its parent "a".
  return more_filter ? filter == "#" : !more_topic;
}

std::string topic(std::string_view fleet, std::string_view device, std::string_view leaf) {
  for (const std::string_view part : {fleet, device, leaf}) {
    if (part != "+" && (!is_valid_topic(part) || part.find('/') != std::string_view::npos)) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("topic of fleet '{}', device '{}', leaf '{}': each must be a "
                                    "name without '/', '+' and "
                                    "'#', or '+' alone",
                                    fleet,
                                    device,
                                    leaf));
    }
  }
  return fmt::format("coppice/v1/{}/{}/{}", fleet, device, leaf);
}

}  // namespace coppice::link

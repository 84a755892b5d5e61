#include "jobs/names.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::jobs {

void check_name(std::string_view name, std::string_view what) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (name.empty() || name.size() > 100 || !characters || name.front() == '.' ||
      name.front() == '-') {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("{} name '{}' can't name a folder: use letters, digits, '-', '_' and "
                    "'.', at most 100",
                    what,
                    name));
  }
}

}  // namespace coppice::jobs

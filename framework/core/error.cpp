#include "core/error.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace coppice::core {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::InvalidArgument:
      return "invalid argument";
    case ErrorKind::Config:
      return "config";
    case ErrorKind::NotFound:
      return "not found";
    case ErrorKind::Io:
      return "input/output";
    case ErrorKind::Corrupt:
      return "corrupt data";
    case ErrorKind::Refused:
      return "refused";
    case ErrorKind::Unsupported:
      return "unsupported";
    case ErrorKind::Numeric:
      return "numeric";
    case ErrorKind::Interrupted:
      return "interrupted";
    case ErrorKind::Internal:
      return "internal";
  }
  return "unknown";
}

void fail_check(const char* condition, const char* file, int line, std::string_view message) {
  throw Error(ErrorKind::Internal,
              fmt::format("{}:{}: {} (broken invariant: {})", file, line, message, condition));
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace coppice::core

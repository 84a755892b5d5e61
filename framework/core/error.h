#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace coppice::core {

/// What went wrong, for callers that react differently and for exit codes.
enum class ErrorKind {
  InvalidArgument,  ///< a value that the caller passed
  Config,           ///< a YAML file: the message names file, line and column
  NotFound,         ///< a file, name or version that does not exist
  Io,               ///< the operating system refused: full disk, permissions
  Corrupt,          ///< data that fails its checksum, is truncated or malformed
  Refused,          ///< valid but not allowed: bad signature, older counter, failed gate
  Unsupported,      ///< an op, dtype or format that is not handled
  Numeric,          ///< NaN or infinity where a number must be
  Interrupted,      ///< Ctrl-C or SIGTERM
  Internal,         ///< a broken invariant: our bug
};

/// "config", "not found", … as printed before a message.
std::string_view to_string(ErrorKind kind);

/// Ends an operation. The message names the thing, the place and the way out, in one line.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

[[noreturn]] void fail_check(const char* condition,
                             const char* file,
                             int line,
                             std::string_view message);

/// " (did you mean 'x'?)" for the candidate nearest to `name` by edit distance, or "" when none is
/// near.
template <class Strings>
std::string did_you_mean(std::string_view name, const Strings& candidates);

/// Levenshtein distance.
size_t edit_distance(std::string_view a, std::string_view b);

template <class Strings>
std::string did_you_mean(std::string_view name, const Strings& candidates) {
  std::string best;
  size_t best_distance = name.size() / 3 + 2;
  for (const auto& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best.empty() ? best : " (did you mean '" + best + "'?)";
}

}  // namespace coppice::core

/// An invariant that no input can break; throws Error{Internal} with file and line otherwise.
#define COPPICE_CHECK(condition, message)                                     \
  do {                                                                        \
    if (!(condition)) {                                                       \
      ::coppice::core::fail_check(#condition, __FILE__, __LINE__, (message)); \
    }                                                                         \
  } while (false)

#pragma once

#include <filesystem>
#include <string_view>

namespace coppice::core {

/// Progress of the program for its user, on stderr, and in `log.txt` of a run once `log_to_file`
/// was called. Libraries tell what happened by return values and exceptions; only long-running work
/// logs. Thread-safe.
enum class LogLevel { Debug, Info, Warning, Error };

void log(LogLevel level, std::string_view message);

inline void log_debug(std::string_view message) {
  log(LogLevel::Debug, message);
}

inline void log_info(std::string_view message) {
  log(LogLevel::Info, message);
}

inline void log_warning(std::string_view message) {
  log(LogLevel::Warning, message);
}

inline void log_error(std::string_view message) {
  log(LogLevel::Error, message);
}

void set_log_level(LogLevel level);
void log_to_file(const std::filesystem::path& file);

}  // namespace coppice::core

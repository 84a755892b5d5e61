#include "core/log.h"

#include <memory>
#include <mutex>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/spdlog.h>

#include "core/error.h"
#include "core/terminal.h"

namespace coppice::core {

namespace {

/// Through the terminal, which keeps a standing progress bar below the lines.
class TerminalSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    terminal_line(std::string_view(line.data(), line.size() - 1));  // it ends the line by itself
  }

  void flush_() override {}
};

struct Logger {
  std::shared_ptr<spdlog::sinks::dist_sink_mt> sinks;
  std::shared_ptr<spdlog::logger> logger;
  std::mutex mutex;
  spdlog::sink_ptr file;
};

Logger& instance() {
  static Logger* const kInstance = [] {
    auto* created = new Logger;  // never destroyed: destructors of other statics may log
    created->sinks = std::make_shared<spdlog::sinks::dist_sink_mt>();
    created->sinks->add_sink(std::make_shared<TerminalSink>());
    created->logger = std::make_shared<spdlog::logger>("coppice", created->sinks);
    created->logger->set_pattern("%H:%M:%S %l %v");
    created->logger->flush_on(spdlog::level::trace);
    return created;
  }();
  return *kInstance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warning:
      return spdlog::level::warn;
    case LogLevel::Error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void log(LogLevel level, std::string_view message) {
  instance().logger->log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
}

void set_log_level(LogLevel level) {
  instance().logger->set_level(to_spdlog(level));
}

void log_to_file(const std::filesystem::path& file) {
  Logger& shared = instance();
  const std::lock_guard lock(shared.mutex);
  spdlog::sink_ptr sink;
  try {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  } catch (const spdlog::spdlog_ex& error) {
    throw Error(ErrorKind::Io, fmt::format("can't log to '{}': {}", file.string(), error.what()));
  }
  sink->set_pattern("%H:%M:%S %l %v");
  if (shared.file != nullptr) {
    shared.sinks->remove_sink(shared.file);
  }
  shared.sinks->add_sink(sink);
  shared.file = sink;
}

}  // namespace coppice::core

#include "jobs/run_directory.h"

#include <chrono>
#include <ctime>
#include <tuple>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "jobs/file_errors.h"
#include "jobs/names.h"

namespace coppice::jobs {

namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.yaml";
constexpr const char* kSummary = "summary.json";
constexpr size_t kTimeLength = 15;  // 20260301-120000
constexpr size_t kHashLength = 8;

std::string short_hash(const std::string& config) {
  return core::sha256(config).substr(0, kHashLength);
}

std::string time_part() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y%m%d-%H%M%S}", fmt::gmtime(now));
}

[[noreturn]] void fail(const fs::path& folder, const std::string& reason) {
  throw core::Error(core::ErrorKind::Io,
                    fmt::format("can't make run directory '{}': {}", folder.string(), reason));
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    fail(folder, error.message());
  }
}

bool holds(const fs::path& folder, const std::string& config) {
  return fs::is_regular_file(folder / kConfig) && core::read_text(folder / kConfig) == config;
}

/// Whether `folder` is called <name>-<time>-<hash> or, for a second one within a second, with "-2"
/// behind.
bool belongs_to(const std::string& folder, const std::string& name, const std::string& hash) {
  const size_t base = name.size() + 1 + kTimeLength + 1 + kHashLength;
  return folder.size() >= base && folder.starts_with(name + "-") &&
         folder.substr(base - kHashLength, kHashLength) == hash &&
         (folder.size() == base || folder[base] == '-');
}

}  // namespace

RunDirectory RunDirectory::create(const fs::path& root,
                                  const std::string& name,
                                  const std::string& config) {
  check_name(name, "run");
  make_folder(root);
  const std::string base = fmt::format("{}-{}-{}", name, time_part(), short_hash(config));
  fs::path folder = root / base;
  std::error_code error;
  for (int copy = 2; !fs::create_directory(folder, error); ++copy) {
    if (error) {
      fail(folder, error.message());
    }
    folder = root / fmt::format("{}-{}", base, copy);
  }
  core::write_file(folder / kConfig, config);
  return RunDirectory(folder);
}

RunDirectory RunDirectory::open(const fs::path& folder, const std::string& config) {
  return with_file_errors("run directory", [&] {
    if (fs::exists(folder) && !fs::is_directory(folder)) {
      fail(folder, "it is a file");
    }
    make_folder(folder);
    if (!holds(folder, config)) {
      if (!fs::is_empty(folder)) {
        throw core::Error(
            core::ErrorKind::Refused,
            fmt::format("'{}' holds another run (its {} differs); choose another folder with --out",
                        folder.string(),
                        kConfig));
      }
      core::write_file(folder / kConfig, config);
    }
    return RunDirectory(folder);
  });
}

std::optional<RunDirectory> RunDirectory::find_unfinished(const fs::path& root,
                                                          const std::string& name,
                                                          const std::string& config) {
  const std::string hash = short_hash(config);
  // By time, then by the number behind the hash: none, "-2", …, "-10".
  const auto rank = [&](const fs::path& folder) {
    const std::string text = folder.filename().string();
    return std::tuple(text.substr(0, name.size() + 1 + kTimeLength), text.size(), text);
  };
  return with_file_errors("run directories", [&]() -> std::optional<RunDirectory> {
    std::optional<fs::path> newest;
    if (!fs::is_directory(root)) {
      return std::nullopt;
    }
    for (const auto& entry : fs::directory_iterator(root)) {
      const fs::path& folder = entry.path();
      if (entry.is_directory() && belongs_to(folder.filename().string(), name, hash) &&
          holds(folder, config) && !fs::exists(folder / kSummary) &&
          (!newest || rank(*newest) < rank(folder))) {
        newest = folder;
      }
    }
    return newest ? std::optional(RunDirectory(*newest)) : std::nullopt;
  });
}

bool RunDirectory::finished() const {
  std::error_code unknown;
  return fs::exists(path_ / kSummary, unknown);
}

}  // namespace coppice::jobs

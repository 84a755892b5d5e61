#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <nlohmann/json.hpp>

#include "core/clock.h"
#include "core/files.h"
#include "core/process.h"
#include "jobs/database.h"
#include "jobs/git.h"
#include "jobs/machine.h"
#include "jobs/run_directory.h"

namespace coppice::jobs {

namespace {

/// 90100 is 9.1.0.
std::string version_text(int packed) {
  return fmt::format("{}.{}.{}", packed / 10000, packed / 100 % 100, packed % 100);
}

}  // namespace

void RunDirectory::write_provenance(const std::map<std::string, std::string>& more) const {
  std::map<std::string, std::string> rows = describe_machine();
  rows["version"] = COPPICE_VERSION;
  rows["time"] = core::to_iso8601(core::SystemClock().now());
  rows["compiler"] = "GCC " __VERSION__;
  rows["library.glibc"] = ::gnu_get_libc_version();
  rows["library.fmt"] = version_text(FMT_VERSION);
  rows["library.nlohmann_json"] = fmt::format("{}.{}.{}",
                                              NLOHMANN_JSON_VERSION_MAJOR,
                                              NLOHMANN_JSON_VERSION_MINOR,
                                              NLOHMANN_JSON_VERSION_PATCH);
  rows["library.sqlite"] = Database(":memory:").query("SELECT sqlite_version()").front().text(0);
  if (const std::string commit = git_commit(core::executable_folder()); !commit.empty()) {
    rows["git_commit"] = commit;
  }
  for (const auto& [name, value] : more) {
    rows[name] = value;
  }
  core::write_file(path_ / "provenance.json", nlohmann::json(rows).dump(2) + "\n");
}

}  // namespace coppice::jobs

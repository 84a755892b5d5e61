#pragma once

#include <filesystem>
#include <string_view>

#include "core/error.h"

namespace coppice::jobs {

/// What SQLite said of `file` as an error of ours: Corrupt where the file is damaged or no
/// database, else Io. `result` is SQLite's, extended or not; 0: the error is not SQLite's own. Of
/// `message` the first line is kept: SOCI's others repeat the query and its values.
core::Error database_error(const std::filesystem::path& file, int result, std::string_view message);

}  // namespace coppice::jobs

#pragma once

#include <filesystem>

namespace coppice::tools {

/// The program that runs jobs: the one named, or coppice-train beside this program. Throws
/// Error{NotFound} when it does not exist.
std::filesystem::path trainer_path(const std::filesystem::path& named);

}  // namespace coppice::tools

#pragma once

#include <filesystem>
#include <string>

namespace coppice::jobs {

/// The commit that is checked out where `folder` lies, as 40 (or 64) hexadecimal digits, read from
/// the files of .git without running git; "" outside a checkout and before a first commit.
std::string git_commit(const std::filesystem::path& folder);

}  // namespace coppice::jobs

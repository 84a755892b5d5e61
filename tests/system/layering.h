#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace coppice::layering {

struct Module {
  std::vector<std::string> uses;  ///< direct ones; what those use is allowed too
  bool torch = false;
};

using Table = std::map<std::string, Module>;

/// The table of the design.
const Table& design_table();

/// Reads every `#include` below `root`/framework and `root`/tools and returns what is wrong, one
/// line each, with file and line:
/// - a folder of framework/ that the table doesn't name;
/// - a module that includes another one that it may not use, or a header of ours by another path
/// than "module/header.h";
/// - libtorch outside of the modules that may use it (and of tools/coppice_train), or one of its
/// umbrella headers anywhere;
/// - a third-party header in a header of a torch-free module that other modules or tools include,
/// directly or not.
std::vector<std::string> check_layering(const std::filesystem::path& root, const Table& table);

}  // namespace coppice::layering

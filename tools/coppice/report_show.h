#pragma once

#include <filesystem>
#include <string>

namespace coppice::tools {

/// What the files of a run say, for a terminal: figures, and the best epochs of the metrics it
/// logged. Throws what find_runs throws, Error{InvalidArgument} for a folder of several runs.
std::string show_run(const std::string& folder);

/// The same as a page, with learning curves and configuration.
void write_run_page(const std::string& folder, const std::filesystem::path& file);

}  // namespace coppice::tools

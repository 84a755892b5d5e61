#include "jobs/git.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/files.h"

namespace coppice::jobs {

namespace {

namespace fs = std::filesystem;

/// Without its line end; nothing when it can't be read.
std::optional<std::string> read_line(const fs::path& file) {
  try {
    const std::string text = core::read_text(file);
    return text.substr(0, text.find_first_of("\r\n"));
  } catch (const core::Error&) {
    return std::nullopt;
  }
}

bool is_commit(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// .git is a folder, or in a worktree a file "gitdir: <folder>".
fs::path find_git_folder(fs::path folder) {
  std::error_code error;
  folder = fs::weakly_canonical(folder, error);
  while (!error && !folder.empty()) {
    const fs::path git = folder / ".git";
    if (fs::is_directory(git, error)) {
      return git;
    }
    const auto line = fs::is_regular_file(git, error) ? read_line(git) : std::nullopt;
    if (line && line->starts_with("gitdir: ")) {
      return folder / line->substr(8);
    }
    error.clear();
    if (folder == folder.root_path()) {
      break;
    }
    folder = folder.parent_path();
  }
  return {};
}

std::string packed_commit(const fs::path& common, const std::string& reference) {
  std::string text;
  try {
    text = core::read_text(common / "packed-refs");
  } catch (const core::Error&) {
    return {};
  }
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    const size_t space = line.find(' ');
    if (space != std::string::npos && line.substr(space + 1) == reference) {
      return line.substr(0, space);
    }
    start = end + 1;
  }
  return {};
}

std::string resolve(const fs::path& git) {
  const std::string head = read_line(git / "HEAD").value_or("");
  if (!head.starts_with("ref: ")) {
    return head;
  }
  const std::string reference = head.substr(5);
  const auto common_line = read_line(git / "commondir");
  const fs::path common = common_line ? git / *common_line : git;
  const auto loose = read_line(common / reference);
  return loose ? *loose : packed_commit(common, reference);
}

}  // namespace

std::string git_commit(const std::filesystem::path& folder) {
  const fs::path git = find_git_folder(folder);
  if (git.empty()) {
    return {};
  }
  const std::string commit = resolve(git);
  return is_commit(commit) ? commit : std::string();
}

}  // namespace coppice::jobs

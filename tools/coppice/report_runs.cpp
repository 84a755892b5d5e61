#include "coppice/report_runs.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <glob.h>

#include "core/config.h"
#include "core/error.h"

namespace coppice::tools {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> kConfigs{"config.yaml", "job.yaml"};
constexpr std::array<std::string_view, 2> kNotSearched{"stages", "data"};
constexpr int kDeepest = 8;

/// "a.b" → value; lists of single values as "[1, 2]".
void flatten(const core::ConfigNode& node,
             const std::string& path,
             std::map<std::string, std::string>& fields) {
  const std::string prefix = path.empty() ? "" : path + ".";
  switch (node.kind) {
    case core::ConfigNode::Kind::Map:
      for (const auto& [key, value] : node.map) {
        flatten(value, prefix + key, fields);
      }
      return;
    case core::ConfigNode::Kind::List: {
      const bool plain = std::all_of(node.list.begin(), node.list.end(), [](const auto& item) {
        return item.kind == core::ConfigNode::Kind::Scalar;
      });
      if (!plain) {
        for (size_t i = 0; i < node.list.size(); ++i) {
          flatten(node.list[i], fmt::format("{}{}", prefix, i), fields);
        }
        return;
      }
      std::string text;
      for (const auto& item : node.list) {
        text += (text.empty() ? "" : ", ") + item.scalar;
      }
      fields[path] = "[" + text + "]";
      return;
    }
    default:
      fields[path] = node.scalar;
  }
}

fs::path config_of(const fs::path& folder) {
  for (const auto name : kConfigs) {
    if (fs::is_regular_file(folder / name)) {
      return folder / name;
    }
  }
  return {};
}

bool has_summary(const fs::path& folder) {
  return fs::is_regular_file(folder / "summary.json");
}

Run read_run(const fs::path& folder, const fs::path& config) {
  Run run{.folder = folder, .kind = {}, .seed = {}, .config = {}, .figures = {}, .rows = {}};
  flatten(core::load_config(config), "", run.config);
  const auto take = [&](const char* field) {
    const auto found = run.config.find(field);
    return found == run.config.end() ? std::string() : found->second;
  };
  run.kind = take("kind");
  run.seed = take("seed");
  run.figures = report::read_figures(folder / "summary.json");
  if (fs::exists(folder / "metrics.jsonl")) {
    run.rows = report::read_metrics(folder / "metrics.jsonl");
  }
  return run;
}

bool is_sweep(const fs::path& folder) {
  return fs::is_directory(folder / "trials");
}

class Finder {
 public:
  FoundRuns found;

  void visit(const fs::path& folder, int depth) {
    const fs::path config = config_of(folder);
    if (is_sweep(folder)) {
      visit_below(folder / "trials", depth);
    } else if (config.empty()) {
      visit_below(folder, depth);
    } else if (!has_summary(folder)) {
      found.unfinished.push_back(folder);
    } else if (seen_.insert(fs::canonical(folder)).second) {
      found.runs.push_back(read_run(folder, config));
    }
  }

 private:
  void visit_below(const fs::path& folder, int depth) {
    if (depth == kDeepest) {
      return;
    }
    std::vector<fs::path> inner;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      const bool searched =
          std::find(kNotSearched.begin(), kNotSearched.end(), name) == kNotSearched.end();
      if (entry.is_directory() && searched) {
        inner.push_back(entry.path());
      }
    }
    std::sort(inner.begin(), inner.end());
    for (const fs::path& one : inner) {
      visit(one, depth + 1);
    }
  }

  std::set<fs::path> seen_;
};

std::vector<fs::path> matches_of(const std::string& pattern) {
  if (fs::exists(pattern)) {
    return {pattern};
  }
  std::vector<fs::path> paths;
  glob_t matches{};
  if (::glob(pattern.c_str(), 0, nullptr, &matches) == 0) {
    for (size_t i = 0; i < matches.gl_pathc; ++i) {
      if (fs::is_directory(matches.gl_pathv[i])) {
        paths.emplace_back(matches.gl_pathv[i]);
      }
    }
  }
  ::globfree(&matches);
  if (paths.empty()) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("'{}' does not exist; name run directories, folders that hold "
                                  "some, or a glob of them",
                                  pattern));
  }
  return paths;
}

}  // namespace

FoundRuns find_runs(const std::vector<std::string>& named) {
  Finder finder;
  for (const std::string& pattern : named) {
    const auto paths = matches_of(pattern);
    size_t empty = 0;
    for (const fs::path& path : paths) {
      if (!fs::is_directory(path)) {
        throw core::Error(
            core::ErrorKind::NotFound,
            fmt::format("'{}' is a file; name the run directory that it lies in", path.string()));
      }
      const size_t before = finder.found.runs.size() + finder.found.unfinished.size();
      finder.visit(path, 0);
      empty += before == finder.found.runs.size() + finder.found.unfinished.size() ? 1 : 0;
      if (!finder.found.unfinished.empty() && finder.found.unfinished.back() == path &&
          paths.size() == 1) {
        throw core::Error(core::ErrorKind::Refused,
                          fmt::format("the run '{}' has not finished (it has no summary.json); go "
                                      "on with 'coppice run FILE --resume'",
                                      path.string()));
      }
    }
    if (empty == paths.size() && finder.found.runs.empty()) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("'{}' is no run directory and holds none: a run directory has "
                                    "config.yaml (or job.yaml) and summary.json",
                                    pattern));
    }
  }
  return std::move(finder.found);
}

}  // namespace coppice::tools

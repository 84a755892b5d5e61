#include "system/layering.h"

#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "core/files.h"

namespace coppice::layering {

namespace {

namespace fs = std::filesystem;

struct Include {
  std::string path;
  bool quoted = false;
  int line = 0;
};

struct Source {
  std::string name;    ///< below the root: "framework/graph/op.h"
  std::string module;  ///< "" for a tool
  bool torch = false;  ///< may use libtorch
  std::vector<Include> includes;
};

constexpr std::string_view kFramework = "framework/";
constexpr std::string_view kTorchTool = "tools/coppice_train/";

std::vector<Include> read_includes(const fs::path& file) {
  std::vector<Include> includes;
  std::istringstream text(core::read_text(file));
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    const size_t hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line[hash] != '#') {
      continue;
    }
    const size_t word = line.find_first_not_of(" \t", hash + 1);
    if (word == std::string::npos || line.compare(word, 7, "include") != 0) {
      continue;
    }
    const size_t begin = line.find_first_of("\"<", word);
    const size_t end = begin == std::string::npos ? begin : line.find_first_of("\">", begin + 1);
    if (end != std::string::npos) {
      includes.push_back({line.substr(begin + 1, end - begin - 1), line[begin] == '"', number});
    }
  }
  return includes;
}

std::string first_part(std::string_view path) {
  return std::string(path.substr(0, path.find('/')));
}

std::vector<Source> read_sources(const fs::path& root, const Table& table) {
  std::vector<Source> sources;
  for (const std::string_view top : {"framework", "tools"}) {
    if (!fs::exists(root / top)) {
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".h" && extension != ".cpp")) {
        continue;
      }
      Source source;
      source.name = fs::relative(entry.path(), root).generic_string();
      if (source.name.starts_with(kFramework)) {
        source.module = first_part(std::string_view(source.name).substr(kFramework.size()));
        const auto known = table.find(source.module);
        source.torch = known != table.end() && known->second.torch;
      } else {
        source.torch = source.name.starts_with(kTorchTool);
      }
      source.includes = read_includes(entry.path());
      sources.push_back(std::move(source));
    }
  }
  std::sort(sources.begin(), sources.end(), [](const Source& a, const Source& b) {
    return a.name < b.name;
  });
  return sources;
}

void add_uses(const Table& table, const std::string& module, std::set<std::string>& uses) {
  const auto found = table.find(module);
  if (found == table.end() || !uses.insert(module).second) {
    return;
  }
  for (const std::string& used : found->second.uses) {
    add_uses(table, used, uses);
  }
}

bool is_torch(std::string_view path) {
  const std::string top = first_part(path);
  return top == "ATen" || top == "torch" || top == "c10" || top == "caffe2";
}

bool is_umbrella(std::string_view path) {
  return path == "torch/torch.h" || path == "torch/all.h" || path == "torch/extension.h" ||
         path == "torch/script.h" || path == "ATen/ATen.h";
}

/// The standard library's headers have neither a folder nor an extension; of POSIX, the ones that a
/// header may need.
bool is_system(std::string_view path) {
  static const std::set<std::string_view> kPosix = {
      "fcntl.h", "poll.h", "pthread.h", "signal.h", "unistd.h"};
  return path.find_first_of("./") == std::string_view::npos || path.starts_with("sys/") ||
         kPosix.contains(path);
}

/// Names of the headers that cross a border: included from another module or a tool, or by such a
/// header.
std::set<std::string> public_headers(const std::vector<Source>& sources) {
  std::map<std::string_view, const Source*> by_name;
  for (const Source& source : sources) {
    by_name.emplace(source.name, &source);
  }
  std::set<std::string> found;
  std::vector<std::string> open;
  const auto add = [&](const std::string& name) {
    if (by_name.contains(name) && found.insert(name).second) {
      open.push_back(name);
    }
  };
  for (const Source& source : sources) {
    for (const Include& include : source.includes) {
      if (include.quoted && first_part(include.path) != source.module) {
        add(std::string(kFramework) + include.path);
      }
    }
  }
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    for (const Include& include : by_name.at(name)->includes) {
      if (include.quoted) {
        add(std::string(kFramework) + include.path);
      }
    }
  }
  return found;
}

/// What is wrong with one include, or "".
std::string judge(const Source& source,
                  const Include& include,
                  const Table& table,
                  bool is_public) {
  if (is_umbrella(include.path)) {
    return fmt::format("{} drags in all of libtorch; include ATen/ops/… by name", include.path);
  }
  if (is_torch(include.path)) {
    return source.torch ? "" : fmt::format("{} is libtorch's, which only train uses", include.path);
  }
  const std::string target = first_part(include.path);
  if (!include.quoted) {
    if (table.contains(target)) {
      return fmt::format("{} is ours; write it in quotes", include.path);
    }
    return is_public && !source.torch && !is_system(include.path)
               ? fmt::format("{} is third-party, and other modules include this header",
                             include.path)
               : "";
  }
  if (source.module.empty()) {
    const bool torch = table.contains(target) && table.at(target).torch;
    return torch && !source.torch ? fmt::format("{} is not for a torch-free program", include.path)
                                  : "";
  }
  if (!table.contains(target) || target == include.path) {
    return fmt::format("{} is not written as \"module/header.h\"", include.path);
  }
  std::set<std::string> uses;
  add_uses(table, source.module, uses);
  return uses.contains(target) ? "" : fmt::format("{} may not use {}", source.module, target);
}

}  // namespace

const Table& design_table() {
  static const Table kTable = {
      {"core", {{}}},
      {"graph", {{"core"}}},
      {"data", {{"core"}}},
      {"monitor", {{"core"}}},
      {"link", {{"core"}}},
      {"jobs", {{"core"}}},
      {"report", {{"core"}}},
      {"recipe", {{"graph", "data", "jobs"}}},
      {"sweep", {{"jobs", "recipe"}}},
      {"runtime", {{"graph"}}},
      {"release", {{"graph"}}},
      {"c_source", {{"runtime"}}},
      {"compress", {{"runtime", "monitor", "graph"}}},
      {"edge", {{"runtime", "release", "link", "monitor"}}},
      {"cloud", {{"runtime", "release", "link", "jobs", "data", "monitor", "recipe"}}},
      {"train", {{"compress", "data", "jobs", "report", "recipe"}, true}},
      {"loop", {{"edge", "cloud", "report", "recipe", "compress", "data"}}},
  };
  return kTable;
}

std::vector<std::string> check_layering(const fs::path& root, const Table& table) {
  const std::vector<Source> sources = read_sources(root, table);
  const std::set<std::string> publics = public_headers(sources);
  std::vector<std::string> wrong;
  for (const Source& source : sources) {
    if (!source.module.empty() && !table.contains(source.module)) {
      wrong.push_back(fmt::format("{}: module {} is not in the table", source.name, source.module));
      continue;
    }
    for (const Include& include : source.includes) {
      const std::string reason = judge(source, include, table, publics.contains(source.name));
      if (!reason.empty()) {
        wrong.push_back(fmt::format("{}:{}: {}", source.name, include.line, reason));
      }
    }
  }
  return wrong;
}

}  // namespace coppice::layering

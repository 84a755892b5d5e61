#include <algorithm>

#include <fmt/format.h>

#include "core/config.h"
#include "core/config_yaml.h"
#include "core/error.h"
#include "core/files.h"

namespace coppice::core {

namespace {

using Kind = ConfigNode::Kind;
using Chain = std::vector<std::filesystem::path>;  ///< files being loaded, outermost first

constexpr std::string_view kExtends = "extends";

std::string yaml_files_like(const std::filesystem::path& file) {
  std::vector<std::string> names;
  std::error_code error;
  const std::filesystem::path folder = file.parent_path();
  for (const auto& entry :
       std::filesystem::directory_iterator(folder.empty() ? "." : folder, error)) {
    if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml") {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return did_you_mean(file.filename().string(), names);
}

ConfigNode load_file(const std::filesystem::path& file, Chain& chain);

std::vector<const ConfigNode*> bases_of(const ConfigNode& extends) {
  std::vector<const ConfigNode*> bases;
  if (extends.kind == Kind::List) {
    for (const ConfigNode& base : extends.list) {
      bases.push_back(&base);
    }
  } else {
    bases.push_back(&extends);
  }
  for (const ConfigNode* base : bases) {
    if (base->kind != Kind::Scalar || base->scalar.empty()) {
      throw Error(
          ErrorKind::Config,
          fmt::format("{}: 'extends' must be a file name or a list of them", base->place()));
    }
  }
  return bases;
}

void refuse_cycle(const std::filesystem::path& target, const ConfigNode& at, const Chain& chain) {
  const auto same = [&](const std::filesystem::path& file) {
    std::error_code error;
    return std::filesystem::equivalent(file, target, error);
  };
  const auto first = std::find_if(chain.begin(), chain.end(), same);
  if (first == chain.end()) {
    return;
  }
  std::string names;
  for (auto file = first; file != chain.end(); ++file) {
    names += file->string() + " -> ";
  }
  throw Error(
      ErrorKind::Config,
      fmt::format("{}: 'extends' goes in a circle: {}{}", at.place(), names, target.string()));
}

ConfigNode resolve(ConfigNode node, const std::filesystem::path& folder, Chain& chain) {
  const auto entry = std::ranges::find(node.map, kExtends, &ConfigNode::Entry::key);
  if (entry == node.map.end()) {
    return node;
  }
  const ConfigNode extends = std::move(entry->value);
  node.map.erase(entry);
  ConfigNode merged;
  merged.kind = Kind::Map;
  for (const ConfigNode* base : bases_of(extends)) {
    const std::filesystem::path target = (folder / base->scalar).lexically_normal();
    if (!std::filesystem::exists(target)) {
      throw Error(ErrorKind::NotFound,
                  fmt::format("{}: 'extends' names '{}', but there is no file '{}'{}",
                              base->place(),
                              base->scalar,
                              target.string(),
                              yaml_files_like(target)));
    }
    refuse_cycle(target, *base, chain);
    merge_config(merged, load_file(target, chain));
  }
  merge_config(merged, std::move(node));
  return merged;
}

ConfigNode checked_root(ConfigNode root) {
  if (root.kind == Kind::Null) {
    root.kind = Kind::Map;
  }
  if (root.kind != Kind::Map) {
    throw Error(ErrorKind::Config,
                fmt::format("{}: a configuration must be a map of keys", root.place()));
  }
  return root;
}

ConfigNode load_file(const std::filesystem::path& file, Chain& chain) {
  chain.push_back(file);
  ConfigNode node =
      resolve(checked_root(parse_yaml(read_text(file), file.string())), file.parent_path(), chain);
  chain.pop_back();
  return node;
}

}  // namespace

ConfigNode load_config(const std::filesystem::path& file,
                       const std::vector<std::string>& overrides) {
  if (!std::filesystem::exists(file)) {
    throw Error(ErrorKind::NotFound,
                fmt::format("no configuration file '{}'{}", file.string(), yaml_files_like(file)));
  }
  Chain chain;
  ConfigNode root = load_file(file, chain);
  for (const std::string& assignment : overrides) {
    apply_override(root, assignment);
  }
  return root;
}

ConfigNode parse_config_text(std::string_view text, std::string_view name) {
  Chain chain;
  return resolve(checked_root(parse_yaml(text, std::string(name))), "", chain);
}

}  // namespace coppice::core

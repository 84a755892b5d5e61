#include "coppice/experiment_file.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "core/config.h"
#include "core/error.h"

namespace coppice::tools {

namespace {

/// Calls `work` with a default-made options struct of the kind.
template <class Work>
auto with_kind(const std::string& kind, const std::string& place, Work&& work) {
  if (kind == "train") {
    return work(loop::ExperimentOptions{});
  }
  if (kind == "loop") {
    return work(loop::LoopOptions{});
  }
  if (kind == "compress") {
    return work(loop::CompressionOptions{});
  }
  if (kind == "sweep") {
    return work(SweepOptions{});
  }
  throw core::Error(core::ErrorKind::Config,
                    fmt::format("{}: unknown kind '{}'{}: valid are {}",
                                place,
                                kind,
                                core::did_you_mean(kind, experiment_kinds()),
                                fmt::join(experiment_kinds(), ", ")));
}

/// Where the field stands that a message begins with ("data.train_images: …"), or the innermost
/// group around it that is written down; the file where there is none.
std::string place_of(const core::ConfigNode& root,
                     std::string_view message,
                     const std::filesystem::path& file) {
  const core::ConfigNode* node = &root;
  std::string_view path = message.substr(0, message.find(": "));
  while (!path.empty()) {
    const std::string_view key = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(key.size() + 1, path.size()));
    size_t index = 0;
    const bool is_index =
        std::from_chars(key.data(), key.data() + key.size(), index).ptr == key.data() + key.size();
    const core::ConfigNode* next = node->find(key);
    if (node->kind == core::ConfigNode::Kind::List && is_index && index < node->list.size()) {
      next = &node->list[index];
    }
    if (next == nullptr) {
      break;
    }
    node = next;
  }
  return node == &root ? file.string() : node->place();
}

void check_sweep(SweepOptions& options, const std::filesystem::path& file) {
  const auto experiment = file.parent_path() / options.experiment;
  if (!std::filesystem::exists(experiment)) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("experiment: file '{}' does not exist", experiment.string()));
  }
  const core::ConfigNode node = core::load_config(experiment);
  if (const auto* kind = node.find("kind"); kind != nullptr && kind->scalar == "sweep") {
    throw core::Error(core::ErrorKind::Config,
                      fmt::format("experiment: '{}' is a sweep itself; name the file of one trial",
                                  experiment.string()));
  }
  options.experiment = std::filesystem::absolute(experiment).lexically_normal().string();
  sweep::check_space(options.study.parameters);
  load_experiment(experiment, {});
  // Every field that varies must exist there and take its values.
  for (size_t i = 0; i < options.study.parameters.size(); ++i) {
    const auto& parameter = options.study.parameters[i];
    std::vector<std::string> words = parameter.values;
    for (const double bound : parameter.range) {
      words.push_back(parameter.integer ? fmt::format("{}", static_cast<int64_t>(bound))
                                        : fmt::format("{}", bound));
    }
    for (const auto& word : words) {
      try {
        load_experiment(experiment, {fmt::format("{}={}", parameter.field, word)});
      } catch (const core::Error& error) {
        throw core::Error(error.kind(), fmt::format("study.parameters.{}: {}", i, error.what()));
      }
    }
  }
}

}  // namespace

void SweepOptions::visit(core::Fields& f) {
  f.field("kind", kind, {.help = "what this file describes", .choices = {"sweep"}});
  f.field("name", name, {.help = "name of the run directory"});
  f.field("seed", seed, {.help = "of the sampler", .min = 0, .max = 9e15});
  f.field(
      "experiment",
      experiment,
      {.help = "file of the experiment whose fields vary, relative to this one", .required = true});
  f.field("workers",
          workers,
          {.help = "trials at a time, each in a process of its own", .min = 1, .max = 256});
  f.group("study", study, "what varies, and what is sought");
}

std::string ExperimentFile::kind() const {
  return std::visit([](const auto& o) { return o.kind; }, options);
}

std::string ExperimentFile::name() const {
  return std::visit([](const auto& o) { return o.name; }, options);
}

std::string ExperimentFile::resolved() const {
  return std::visit([](const auto& o) { return core::dump_options(o); }, options);
}

ExperimentFile load_experiment(const std::filesystem::path& file,
                               const std::vector<std::string>& overrides) {
  const core::ConfigNode node = core::load_config(file, overrides);
  const core::ConfigNode* kind = node.find("kind");
  if (kind == nullptr) {
    throw core::Error(core::ErrorKind::Config,
                      fmt::format("{}: the key 'kind' is missing: valid are {}",
                                  node.place(),
                                  fmt::join(experiment_kinds(), ", ")));
  }
  return with_kind(kind->scalar, kind->place(), [&](auto options) {
    core::read_fields(node, [&](core::Fields& f) { options.visit(f); });
    try {
      if constexpr (std::is_same_v<decltype(options), SweepOptions>) {
        check_sweep(options, file);
      } else {
        loop::check(options);
      }
    } catch (const core::Error& error) {
      throw core::Error(error.kind(),
                        fmt::format("{}: {}", place_of(node, error.what(), file), error.what()));
    }
    return ExperimentFile{std::move(options), file};
  });
}

std::string schema_of(const std::string& kind) {
  return with_kind(kind, "--schema", [&](auto options) {
    return core::json_schema([&](core::Fields& f) { options.visit(f); }, "Coppice " + kind);
  });
}

std::string reference_of(const std::string& kind) {
  return with_kind(kind, "--reference", [&](auto options) {
    return core::reference_page([&](core::Fields& f) { options.visit(f); }, "`kind: " + kind + "`");
  });
}

const std::vector<std::string>& experiment_kinds() {
  static const std::vector<std::string> kKinds{"train", "loop", "compress", "sweep"};
  return kKinds;
}

}  // namespace coppice::tools

#include "jobs/spec.h"

#include <charconv>

#include <fmt/format.h>

#include "core/error.h"
#include "core/hash.h"
#include "jobs/yaml.h"

namespace coppice::jobs {

namespace {

using core::ConfigNode;
using core::Error;
using core::ErrorKind;

const std::vector<std::string> kKeys = {"kind", "name", "seed", "inputs", "options"};

[[noreturn]] void fail(const ConfigNode& node, const std::string& message) {
  throw Error(ErrorKind::Config, fmt::format("{}: {}", node.place(), message));
}

/// Comments and layout do not make another job.
std::string normalised_options(const JobSpec& spec) {
  const ConfigNode node =
      core::parse_config_text(spec.options, fmt::format("options of job '{}'", spec.name));
  if (node.kind == ConfigNode::Kind::Null) {
    return "{}\n";
  }
  if (node.kind != ConfigNode::Kind::Map) {
    fail(node, "the options of a job must be a map");
  }
  return to_yaml(node);
}

std::string text_of(const ConfigNode& job, std::string_view key) {
  const ConfigNode* node = job.find(key);
  if (node == nullptr) {
    fail(job, fmt::format("'{}' is missing", key));
  }
  if (node->kind != ConfigNode::Kind::Scalar || node->scalar.empty()) {
    fail(*node, fmt::format("'{}' must be a text", key));
  }
  return node->scalar;
}

uint64_t seed_of(const ConfigNode& job) {
  const ConfigNode* node = job.find("seed");
  if (node == nullptr) {
    return JobSpec{}.seed;
  }
  uint64_t seed = 0;
  const std::string& text = node->scalar;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (node->kind != ConfigNode::Kind::Scalar || error != std::errc() ||
      end != text.data() + text.size()) {
    fail(*node, fmt::format("'seed' must be a whole number from 0 to 2^64 - 1, not '{}'", text));
  }
  return seed;
}

std::map<std::string, std::filesystem::path> inputs_of(const ConfigNode& job) {
  std::map<std::string, std::filesystem::path> inputs;
  const ConfigNode* node = job.find("inputs");
  if (node == nullptr || node->kind == ConfigNode::Kind::Null) {
    return inputs;
  }
  if (node->kind != ConfigNode::Kind::Map) {
    fail(*node, "'inputs' must map roles to files");
  }
  for (const auto& [role, file] : node->map) {
    if (file.kind != ConfigNode::Kind::Scalar || file.scalar.empty()) {
      fail(file, fmt::format("input '{}' must be a file name", role));
    }
    inputs[role] = file.scalar;
  }
  return inputs;
}

void hash_field(core::Sha256& hash, std::string_view text) {
  hash.update(fmt::format("{}:", text.size()));  // else ("ab", "c") would equal ("a", "bc")
  hash.update(text);
}

}  // namespace

std::string to_yaml(const JobSpec& spec) {
  std::string out = fmt::format(
      "kind: {}\nname: {}\nseed: {}\n", quote_yaml(spec.kind), quote_yaml(spec.name), spec.seed);
  out += spec.inputs.empty() ? "inputs: {}\n" : "inputs:\n";
  for (const auto& [role, file] : spec.inputs) {
    out += fmt::format("  {}: {}\n", quote_yaml(role), quote_yaml(file.string()));
  }
  return out + "options:\n" + indent(normalised_options(spec), 2);
}

JobSpec load_job(const std::filesystem::path& file) {
  const ConfigNode job = core::load_config(file);
  if (job.kind != ConfigNode::Kind::Map) {
    fail(job, "a job must be a map of kind, name, seed, inputs and options");
  }
  for (const auto& [key, value] : job.map) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      fail(value, fmt::format("unknown key '{}'{}", key, core::did_you_mean(key, kKeys)));
    }
  }
  JobSpec spec;
  spec.kind = text_of(job, "kind");
  spec.name = text_of(job, "name");
  spec.seed = seed_of(job);
  spec.inputs = inputs_of(job);
  if (const ConfigNode* options = job.find("options");
      options != nullptr && options->kind != ConfigNode::Kind::Null) {
    if (options->kind != ConfigNode::Kind::Map) {
      fail(*options, "'options' must be a map");
    }
    spec.options = to_yaml(*options);
  }
  return spec;
}

std::string stage_key(const JobSpec& spec, const std::string& trainer_hash) {
  core::Sha256 hash;
  hash_field(hash, "coppice-stage-1");
  hash_field(hash, trainer_hash);
  hash_field(hash, spec.kind);
  hash_field(hash, fmt::format("{}", spec.seed));
  hash_field(hash, normalised_options(spec));
  for (const auto& [role, file] : spec.inputs) {
    hash_field(hash, role);
    hash_field(hash, core::sha256_file(file));
  }
  return hash.finish();
}

}  // namespace coppice::jobs

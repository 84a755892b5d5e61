#include "release/manifest.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "release/runtime_format.h"

namespace coppice::release {

namespace {

using Json = nlohmann::json;  // objects are std::map: keys come out sorted

constexpr size_t kMaxBytes = 64 * 1024;

constexpr const char* kFieldOutOfRange =
    "release manifest: a field is out of range; it needs a name, a counter from 1, a SHA-256 in "
    "lower-case hexadecimal, "
    "sizes and times of at least 0, a decimal runtime format and finite metrics";
constexpr const char* kNotUtf8 =
    "release manifest: name, reason or a metric's name is not UTF-8; use plain text";
constexpr const char* kTooLarge =
    "release manifest: over 64 KiB; record fewer metrics or shorter texts";
constexpr const char* kNotAManifest =
    "release manifest is not in canonical form (unknown, missing or repeated key, wrong type, "
    "blanks, or over 64 KiB); "
    "publish the release again with this version of coppice";

[[noreturn]] void fail_corrupt() {
  throw core::Error(core::ErrorKind::Corrupt, kNotAManifest);
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool in_range(const Manifest& m) {
  return !m.name.empty() && m.counter > 0 && is_sha256(m.artefact_hash) && m.artefact_bytes >= 0 &&
         runtime_format(m.required_runtime).has_value() && m.created_ms >= 0 && m.expires_ms >= 0 &&
         (m.parent_hash.empty() || is_sha256(m.parent_hash)) &&
         std::all_of(m.metrics.begin(), m.metrics.end(), [](const auto& metric) {
           return std::isfinite(metric.second);
         });
}

Json to_tree(const Manifest& m) {
  return Json{{"name", m.name},
              {"counter", m.counter},
              {"artefact_hash", m.artefact_hash},
              {"artefact_bytes", m.artefact_bytes},
              {"required_runtime", m.required_runtime},
              {"created_ms", m.created_ms},
              {"expires_ms", m.expires_ms},
              {"parent_hash", m.parent_hash},
              {"reason", m.reason},
              {"metrics", m.metrics}};
}

std::string text(const Json& tree, const char* key) {
  const auto it = tree.find(key);
  if (it == tree.end() || !it->is_string()) {
    fail_corrupt();
  }
  return it->get<std::string>();
}

uint64_t number(const Json& tree, const char* key, uint64_t largest) {
  const auto it = tree.find(key);
  if (it == tree.end() || !it->is_number_unsigned() || it->get<uint64_t>() > largest) {
    fail_corrupt();
  }
  return it->get<uint64_t>();
}

int64_t signed_number(const Json& tree, const char* key) {
  return static_cast<int64_t>(number(tree, key, std::numeric_limits<int64_t>::max()));
}

std::map<std::string, double> metrics(const Json& tree) {
  const auto it = tree.find("metrics");
  if (it == tree.end() || !it->is_object()) {
    fail_corrupt();
  }
  std::map<std::string, double> result;
  for (const auto& [name, value] : it->items()) {
    if (!value.is_number_float()) {
      fail_corrupt();
    }
    result[name] = value.get<double>();
  }
  return result;
}

}  // namespace

std::optional<uint32_t> runtime_format(const std::string& decimal) {
  uint32_t format = 0;
  const char* end = decimal.data() + decimal.size();
  const auto [stop, error] = std::from_chars(decimal.data(), end, format);
  if (error != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return format;
}

core::Bytes to_json(const Manifest& manifest) {
  if (!in_range(manifest)) {
    throw core::Error(core::ErrorKind::InvalidArgument, kFieldOutOfRange);
  }
  try {
    const std::string canonical = to_tree(manifest).dump();
    if (canonical.size() > kMaxBytes) {
      throw core::Error(core::ErrorKind::InvalidArgument, kTooLarge);
    }
    const auto bytes = core::as_bytes(canonical);
    return {bytes.begin(), bytes.end()};
  } catch (const Json::type_error&) {
    throw core::Error(core::ErrorKind::InvalidArgument, kNotUtf8);
  }
}

Manifest manifest_from_json(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxBytes) {
    fail_corrupt();
  }
  const Json tree = Json::parse(core::as_text(bytes), nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) {
    fail_corrupt();
  }
  Manifest m;
  m.name = text(tree, "name");
  m.counter = number(tree, "counter", std::numeric_limits<uint64_t>::max());
  m.artefact_hash = text(tree, "artefact_hash");
  m.artefact_bytes = signed_number(tree, "artefact_bytes");
  m.required_runtime = text(tree, "required_runtime");
  m.created_ms = signed_number(tree, "created_ms");
  m.expires_ms = signed_number(tree, "expires_ms");
  m.parent_hash = text(tree, "parent_hash");
  m.reason = text(tree, "reason");
  m.metrics = metrics(tree);
  if (!in_range(m)) {
    fail_corrupt();
  }
  // One comparison finds unknown and repeated keys, blanks, another order and other spellings of a
  // number.
  if (core::as_text(bytes) != to_tree(m).dump()) {
    fail_corrupt();
  }
  return m;
}

}  // namespace coppice::release

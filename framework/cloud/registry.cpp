#include "cloud/registry.h"

#include <array>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cloud/sql.h"
#include "core/error.h"
#include "core/file_descriptor.h"
#include "core/hash.h"

namespace coppice::cloud {

namespace {

constexpr std::array kRegistrySchema{
    "CREATE TABLE IF NOT EXISTS model(hash TEXT PRIMARY KEY, role TEXT, metrics TEXT,"
    " created_ms INTEGER)",
    "CREATE TABLE IF NOT EXISTS lineage(child TEXT, relation TEXT, parent TEXT,"
    " PRIMARY KEY(child, relation, parent))",
    "CREATE TABLE IF NOT EXISTS release(counter INTEGER PRIMARY KEY, artefact TEXT, manifest BLOB,"
    " signature BLOB, state TEXT)",
    "CREATE TABLE IF NOT EXISTS memory(key TEXT PRIMARY KEY, value INTEGER)"};

}  // namespace

struct Registry::State {
  State(const std::filesystem::path& root, bool wait_for_disk)
      : folder(root), file(root / "registry.db") {
    open_sqlite(sql, file, kRegistrySchema, wait_for_disk);
  }

  std::filesystem::path object(const std::string& hash) const {
    return folder / "objects" / hash.substr(0, 2) / hash.substr(2);
  }

  std::filesystem::path folder;
  std::filesystem::path file;
  soci::session sql;
};

Registry::Registry(const std::filesystem::path& folder, bool wait_for_disk)
    : state_(std::make_unique<State>(folder, wait_for_disk)) {}

Registry::~Registry() = default;

std::string Registry::put_object(std::span<const std::byte> bytes) {
  std::string hash = core::sha256(bytes);
  const auto file = state_->object(hash);
  std::error_code failed;
  if (std::filesystem::exists(file, failed) && core::sha256_file(file) == hash) {
    return hash;
  }
  std::filesystem::create_directories(file.parent_path(), failed);
  if (failed) {
    throw core::file_error("create", file.parent_path(), failed.value());
  }
  core::write_file(file, bytes);
  return hash;
}

core::Bytes Registry::get_object(const std::string& hash) const {
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("'{}' is not the hash of an object", hash));
  }
  const auto file = state_->object(hash);
  core::Bytes bytes = core::read_file(file);
  if (core::sha256(bytes) != hash) {
    throw core::Error(
        core::ErrorKind::Corrupt,
        fmt::format("{} was altered: its bytes do not match its name", file.string()));
  }
  return bytes;
}

void Registry::record_model(const std::string& hash,
                            const std::string& role,
                            const std::map<std::string, double>& metrics,
                            core::Timestamp when) {
  guarded(state_->file, [&] {
    const std::string json = nlohmann::json(metrics).dump();
    const int64_t created = core::to_millis(when);
    state_->sql << "INSERT OR REPLACE INTO model VALUES(:h, :r, :m, :c)", soci::use(hash),
        soci::use(role), soci::use(json), soci::use(created);
  });
}

void Registry::record_lineage(const std::string& child,
                              const std::string& relation,
                              const std::string& parent) {
  guarded(state_->file, [&] {
    state_->sql << "INSERT OR IGNORE INTO lineage VALUES(:c, :r, :p)", soci::use(child),
        soci::use(relation), soci::use(parent);
  });
}

std::vector<Registry::Ancestor> Registry::ancestors(const std::string& child) const {
  return guarded(state_->file, [&] {
    std::vector<Ancestor> result;
    const soci::rowset<soci::row> rows =
        (state_->sql.prepare
             << "SELECT relation, parent FROM lineage WHERE child=:c ORDER BY relation, parent",
         soci::use(child));
    for (const auto& row : rows) {
      result.push_back({row.get<std::string>(0), row.get<std::string>(1)});
    }
    return result;
  });
}

uint64_t Registry::next_counter() const {
  return guarded(state_->file, [&] {
    int64_t last = 0;
    soci::indicator indicator = soci::i_null;
    state_->sql << "SELECT MAX(counter) FROM release", soci::into(last, indicator);
    return indicator == soci::i_ok ? static_cast<uint64_t>(last) + 1 : 1;
  });
}

void Registry::record_release(const release::Release& release, const std::string& state) {
  const auto manifest = release::manifest_from_json(release.manifest);
  if (manifest.counter < next_counter()) {
    throw core::Error(
        core::ErrorKind::Refused,
        fmt::format(
            "release {} is not above the newest one, {}", manifest.counter, next_counter() - 1));
  }
  put_object(release.artefact);
  guarded(state_->file, [&] {
    soci::blob manifest_blob(state_->sql);
    soci::blob signature_blob(state_->sql);
    fill(manifest_blob, release.manifest);
    fill(signature_blob, release.signature);
    const auto counter = static_cast<int64_t>(manifest.counter);
    state_->sql << "INSERT INTO release VALUES(:n, :a, :m, :s, :t)", soci::use(counter),
        soci::use(manifest.artefact_hash), soci::use(manifest_blob), soci::use(signature_blob),
        soci::use(state);
  });
}

void Registry::set_release_state(uint64_t counter, const std::string& state) {
  guarded(state_->file, [&] {
    const auto number = static_cast<int64_t>(counter);
    soci::statement update = (state_->sql.prepare << "UPDATE release SET state=:s WHERE counter=:c",
                              soci::use(state),
                              soci::use(number));
    update.execute(true);
    if (update.get_affected_rows() != 1) {
      throw core::Error(core::ErrorKind::NotFound, fmt::format("there is no release {}", counter));
    }
  });
}

std::optional<ReleaseRecord> Registry::find_release(uint64_t counter) const {
  return guarded(state_->file, [&]() -> std::optional<ReleaseRecord> {
    const auto number = static_cast<int64_t>(counter);
    soci::blob manifest(state_->sql);
    soci::blob signature(state_->sql);
    std::string state;
    state_->sql << "SELECT manifest, signature, state FROM release WHERE counter=:c",
        soci::use(number), soci::into(manifest), soci::into(signature), soci::into(state);
    if (!state_->sql.got_data()) {
      return std::nullopt;
    }
    ReleaseRecord record{{}, to_bytes(manifest), to_bytes(signature), state};
    record.manifest = release::manifest_from_json(record.manifest_bytes);
    return record;
  });
}

std::vector<ReleaseRecord> Registry::releases() const {
  std::vector<ReleaseRecord> result;
  for (uint64_t counter = 1; counter < next_counter(); ++counter) {
    if (auto record = find_release(counter)) {
      result.push_back(std::move(*record));
    }
  }
  return result;
}

release::Release Registry::load_release(uint64_t counter) const {
  const auto record = find_release(counter);
  if (!record) {
    throw core::Error(core::ErrorKind::NotFound, fmt::format("there is no release {}", counter));
  }
  return {record->manifest_bytes, record->signature, get_object(record->manifest.artefact_hash)};
}

void Registry::remember(const std::string& key, int64_t value) {
  guarded(state_->file, [&] {
    state_->sql << "INSERT OR REPLACE INTO memory VALUES(:k, :v)", soci::use(key), soci::use(value);
  });
}

std::optional<int64_t> Registry::recall(const std::string& key) const {
  return guarded(state_->file, [&]() -> std::optional<int64_t> {
    int64_t value = 0;
    state_->sql << "SELECT value FROM memory WHERE key=:k", soci::use(key), soci::into(value);
    return state_->sql.got_data() ? std::optional(value) : std::nullopt;
  });
}

}  // namespace coppice::cloud

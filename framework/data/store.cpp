#include "data/store.h"

#include <algorithm>
#include <bit>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "data/version_file.h"

namespace coppice::data {

namespace {

using nlohmann::json;

/// Texts and numbers are told apart by their lengths: no two contents feed the same bytes.
class ContentHash {
 public:
  void add(std::string_view text) {
    add(static_cast<int64_t>(text.size()));
    hash_.update(text);
  }

  void add(int64_t number) { add(std::span<const int64_t>(&number, 1)); }

  void add(std::span<const int64_t> numbers) {
    static_assert(std::endian::native == std::endian::little,
                  "hashes are over little-endian numbers");
    hash_.update(std::as_bytes(numbers));
  }

  void add(std::span<const std::byte> bytes) { hash_.update(bytes); }

  void add(const std::vector<std::string>& texts) {
    add(static_cast<int64_t>(texts.size()));
    for (const std::string& text : texts) {
      add(std::string_view(text));
    }
  }

  std::string finish() { return hash_.finish(); }

 private:
  core::Sha256 hash_;
};

std::string_view name_of(ElementType type) {
  return type == ElementType::U8 ? "u8" : "f32";
}

int64_t format_version_of(const Schema& schema, const Columns& columns) {
  return schema.target_names.empty() && columns.empty() ? kFormatVersion : kExtendedFormatVersion;
}

std::string content_hash(const Schema& schema,
                         const Batch& batch,
                         const Columns& columns,
                         const std::vector<std::string>& parents) {
  ContentHash hash;
  hash.add(std::string_view(kFormat));
  hash.add(format_version_of(schema, columns));
  hash.add(std::string_view(schema.task));
  hash.add(name_of(schema.type));
  hash.add(static_cast<int64_t>(schema.sample_shape.size()));
  hash.add(std::span<const int64_t>(schema.sample_shape));
  hash.add(schema.class_names);
  hash.add(parents);
  hash.add(batch.size);
  hash.add(std::span<const std::byte>(batch.samples));
  hash.add(std::span<const int64_t>(batch.labels));
  if (format_version_of(schema, columns) == kExtendedFormatVersion) {
    hash.add(schema.target_names);
    hash.add(std::as_bytes(std::span(batch.targets)));
    hash.add(static_cast<int64_t>(columns.size()));
    for (const auto& [name, texts] : columns) {
      hash.add(std::string_view(name));
      hash.add(texts);
    }
  }
  return hash.finish();
}

json to_json(const Schema& schema) {
  json node = {{"task", schema.task},
               {"type", name_of(schema.type)},
               {"sample_shape", schema.sample_shape},
               {"class_names", schema.class_names}};
  if (!schema.target_names.empty()) {
    node["target_names"] = schema.target_names;
  }
  return node;
}

Schema schema_from(const json& node) {
  Schema schema;
  node.at("task").get_to(schema.task);
  schema.type = node.at("type").get<std::string>() == "u8" ? ElementType::U8 : ElementType::F32;
  node.at("sample_shape").get_to(schema.sample_shape);
  node.at("class_names").get_to(schema.class_names);
  if (node.contains("target_names")) {
    node.at("target_names").get_to(schema.target_names);
  }
  return schema;
}

json to_json(const Statistics& statistics) {
  json node = {{"samples", statistics.samples},
               {"class_counts", statistics.class_counts},
               {"mean", statistics.mean},
               {"std", statistics.std},
               {"min", statistics.min},
               {"max", statistics.max}};
  if (!statistics.target_mean.empty()) {
    node["target_mean"] = statistics.target_mean;
    node["target_std"] = statistics.target_std;
  }
  return node;
}

Statistics statistics_from(const json& node) {
  Statistics statistics;
  node.at("samples").get_to(statistics.samples);
  node.at("class_counts").get_to(statistics.class_counts);
  node.at("mean").get_to(statistics.mean);
  node.at("std").get_to(statistics.std);
  node.at("min").get_to(statistics.min);
  node.at("max").get_to(statistics.max);
  if (node.contains("target_mean")) {
    node.at("target_mean").get_to(statistics.target_mean);
    node.at("target_std").get_to(statistics.target_std);
  }
  return statistics;
}

std::string dump(const json& node, std::string_view what) {
  try {
    return node.dump();
  } catch (const json::exception& error) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("the {} of a data-set version must be UTF-8 text: {}", what, error.what()));
  }
}

/// `one` and `many` name the texts: "an origin", "origins".
void check_texts(const std::vector<std::string>& texts,
                 int64_t samples,
                 std::string_view one,
                 std::string_view many) {
  if (static_cast<int64_t>(texts.size()) != samples) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("{} {} for {} samples: give one each, or none", texts.size(), many, samples));
  }
  constexpr size_t kMaxBytes = 255;  // each takes as much room in the file as the longest
  for (const std::string& text : texts) {
    if (text.size() > kMaxBytes) {
      throw core::Error(
          core::ErrorKind::InvalidArgument,
          fmt::format(
              "{} of {} bytes: at most {} are kept; shorten it", one, text.size(), kMaxBytes));
    }
    if (text.find('\0') != std::string::npos) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("{} with a NUL character: use plain text", one));
    }
  }
}

void check_texts(const std::vector<std::string>& origins, const Columns& columns, int64_t samples) {
  if (!origins.empty()) {
    check_texts(origins, samples, "an origin", "origins");
  }
  for (const auto& [name, texts] : columns) {
    const std::string many = fmt::format("texts of column '{}'", name);
    check_texts(texts, samples, fmt::format("a text of column '{}'", name), many);
    dump(texts, many);
  }
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw core::Error(
        core::ErrorKind::Io,
        fmt::format(
            "{}: can't make the folder ({}); choose another", folder.string(), error.message()));
  }
}

bool is_hash(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

[[noreturn]] void altered(const std::filesystem::path& file, std::string_view reason) {
  throw core::Error(core::ErrorKind::Corrupt,
                    fmt::format("{}: {}; remove it and import it again", file.string(), reason));
}

/// What the samples take must fit in the file: nothing is allocated on the word of a description
/// alone.
void check_extent(const Version& version) {
  const auto available = static_cast<int64_t>(std::filesystem::file_size(version.file));
  int64_t bytes = size_bytes(version.schema.type);
  for (const int64_t extent : version.schema.sample_shape) {
    if (extent < 1 || bytes > available / extent) {
      altered(version.file, "its samples are larger than the file");
    }
    bytes *= extent;
  }
  if (version.statistics.samples < 1 || version.statistics.samples > available / bytes) {
    altered(version.file, "its samples are larger than the file");
  }
}

Version parse(const std::filesystem::path& file, const Description& description) {
  try {
    Version version;
    version.hash = description.hash;
    version.file = file;
    version.schema = schema_from(json::parse(description.schema));
    version.statistics = statistics_from(json::parse(description.statistics));
    version.parents = json::parse(description.parents).get<std::vector<std::string>>();
    version.origin = json::parse(description.origin).get<std::map<std::string, std::string>>();
    check_extent(version);
    return version;
  } catch (const json::exception& error) {
    altered(file, fmt::format("its description can't be read ({})", error.what()));
  }
}

std::vector<std::string> column_names(const Columns& columns) {
  std::vector<std::string> names;
  for (const auto& [name, texts] : columns) {
    names.push_back(name);
  }
  return names;
}

Columns read_columns_of(const Version& version) {
  const std::string names = read_description(version.file).columns;
  Columns columns;
  if (names.empty()) {
    return columns;
  }
  try {
    size_t i = 0;
    for (const auto& name : json::parse(names).get<std::vector<std::string>>()) {
      columns[name] = read_strings(version.file, column_array(i++), version.statistics.samples);
    }
  } catch (const json::exception& error) {
    altered(version.file, fmt::format("the names of its columns can't be read ({})", error.what()));
  }
  return columns;
}

}  // namespace

Version write_version(const std::filesystem::path& folder,
                      const Dataset& dataset,
                      std::vector<std::string> parents,
                      std::map<std::string, std::string> origin,
                      const std::vector<std::string>& origins,
                      const Columns& columns) {
  check_texts(origins, columns, dataset.size());
  const Batch batch = read_all(dataset);
  Version version;
  version.schema = dataset.schema();
  version.statistics = compute_statistics(version.schema, batch);
  version.hash = content_hash(version.schema, batch, columns, parents);
  version.file = folder / (version.hash + ".h5");
  version.parents = std::move(parents);
  version.origin = std::move(origin);
  std::error_code error;
  if (std::filesystem::exists(version.file, error)) {
    open_version(version.file);
    return describe_version(version.file);
  }
  Description description;
  description.hash = version.hash;
  description.schema = dump(to_json(version.schema), "schema");
  description.statistics = dump(to_json(version.statistics), "statistics");
  description.parents = dump(version.parents, "parents");
  description.origin = dump(version.origin, "origin");
  dump(origins, "origins");
  description.columns = columns.empty() ? "" : dump(column_names(columns), "columns");
  description.format_version = format_version_of(version.schema, columns);
  make_folder(folder);
  const Hdf5Image image =
      version_image(version.file, description, version.schema, batch, origins, columns);
  core::write_file(version.file, image.bytes());
  return version;
}

Version describe_version(const std::filesystem::path& file) {
  return parse(file, read_description(file));
}

DatasetPtr open_version(const std::filesystem::path& file) {
  const Version version = describe_version(file);
  Batch batch = read_samples(file, version.schema, version.statistics.samples);
  const Columns columns = read_columns_of(version);
  if (content_hash(version.schema, batch, columns, version.parents) != version.hash) {
    altered(file, "its content does not match its hash");
  }
  if (const std::string name = file.stem().string(); is_hash(name) && name != version.hash) {
    altered(file, fmt::format("it holds version {}", version.hash));
  }
  return make_memory_dataset(
      version.schema, std::move(batch.samples), std::move(batch.labels), std::move(batch.targets));
}

std::vector<std::string> read_origins(const std::filesystem::path& file) {
  return read_strings(file, "origins", describe_version(file).statistics.samples);
}

Columns read_columns(const std::filesystem::path& file) {
  return read_columns_of(describe_version(file));
}

}  // namespace coppice::data

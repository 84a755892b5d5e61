#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coppice/data_commands.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"
#include "data/manifest.h"
#include "report/html.h"

namespace coppice::tools {

namespace {

std::vector<data::ManifestPart> chosen_parts(const data::Manifest& manifest,
                                             const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (const data::ManifestPart& part : manifest.parts) {
    names.push_back(part.name);
  }
  std::vector<data::ManifestPart> parts;
  for (const std::string& name : wanted.empty() ? names : wanted) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("--part: '{}' has no part '{}'{}; it has {}",
                                    manifest.name,
                                    name,
                                    core::did_you_mean(name, names),
                                    fmt::join(names, ", ")));
    }
    parts.push_back(manifest.parts[static_cast<size_t>(at - names.begin())]);
  }
  return parts;
}

/// A part on disk, and what was found in it.
struct Imported {
  std::string part;
  data::Version version;
  data::Inspection inspection;
};

std::vector<std::string> row_of(const Imported& imported) {
  const data::Schema& schema = imported.version.schema;
  const std::string kinds =
      !schema.class_names.empty() ? fmt::format("{} classes", schema.class_names.size())
      : schema.target_count() > 0 ? fmt::format("{} targets", schema.target_count())
                                  : "none";
  return {imported.part,
          fmt::format("{}", imported.version.statistics.samples),
          fmt::format("[{}] {}",
                      fmt::join(schema.sample_shape, ", "),
                      schema.type == data::ElementType::U8 ? "u8" : "f32"),
          kinds,
          fmt::format("{}", imported.inspection.findings.size()),
          imported.version.file.string()};
}

void print_imported(const std::vector<Imported>& all, bool json) {
  if (json) {
    auto list = nlohmann::json::array();
    for (const Imported& imported : all) {
      list.push_back({{"part", imported.part},
                      {"hash", imported.version.hash},
                      {"file", imported.version.file.string()},
                      {"inspection", nlohmann::json::parse(to_json(imported.inspection))}});
    }
    fmt::print("{}\n", list.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Imported& imported : all) {
    rows.push_back(row_of(imported));
  }
  fmt::print(
      "{}\n",
      report::text_table({"part", "samples", "shape", "truth", "to look at", "version"}, rows));
  for (const Imported& imported : all) {
    for (const std::string& finding : imported.inspection.findings) {
      fmt::print("{}: {}\n", imported.part, finding);
    }
  }
}

}  // namespace

std::filesystem::path find_version(const std::string& name, const std::filesystem::path& versions) {
  std::error_code error;
  if (std::filesystem::exists(name, error)) {
    return name;
  }
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(versions, error)) {
    const std::string file = entry.path().filename().string();
    if (!name.empty() && file.starts_with(name) && file.ends_with(".h5")) {
      found.push_back(entry.path());
    }
  }
  if (found.size() == 1) {
    return found.front();
  }
  throw core::Error(
      found.empty() ? core::ErrorKind::NotFound : core::ErrorKind::InvalidArgument,
      fmt::format("'{}' is {} version in {}; give a file, or more digits of its hash",
                  name,
                  found.empty() ? "no file and names no" : "the beginning of more than one",
                  versions.string()));
}

void import_data(const DataImportOptions& options) {
  const std::filesystem::path file = options.manifest;
  const data::Manifest manifest = data::load_manifest(file, options.overrides);
  const auto parts = chosen_parts(manifest, options.parts);
  const std::filesystem::path folder =
      options.from.empty() ? file.parent_path() / manifest.folder : options.from;
  for (const data::ManifestPart& part : parts) {
    data::check_files(manifest, part, folder);
  }
  std::vector<std::string> parents;
  data::DatasetPtr parent;
  if (!options.parent.empty()) {
    const auto parent_file = find_version(options.parent, options.to);
    parent = data::open_version(parent_file);
    parents.push_back(data::describe_version(parent_file).hash);
  }
  std::vector<Imported> all;
  for (const data::ManifestPart& part : parts) {
    core::throw_if_interrupted();
    core::log_debug(fmt::format("reading part '{}'", part.name));
    const data::ImportedSamples samples = data::read_source(part.source, folder);
    Imported imported{part.name, {}, data::inspect(*samples.dataset)};
    imported.version = data::write_part(manifest, part, samples, parents, options.to);
    all.push_back(std::move(imported));
    if (parent != nullptr && !options.json) {
      fmt::print(
          "{} against its parent: {}\n", part.name, to_text(data::diff(*parent, *samples.dataset)));
    }
  }
  print_imported(all, options.json);
}

}  // namespace coppice::tools

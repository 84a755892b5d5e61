#include "data/manifest.h"

#include <set>

#include <fmt/format.h>

#include "core/config.h"
#include "core/error.h"
#include "core/hash.h"
#include "data/readers/all.h"

namespace coppice::data {

void ManifestFile::visit(core::Fields& f) {
  f.field("path", path, {.help = "relative to the data set's folder", .required = true});
  f.field("sha256", sha256, {.help = "of its content, unzipped; empty: not checked"});
}

void ManifestPart::visit(core::Fields& f) {
  f.field("name", name, {.help = "train, test, …", .required = true});
  f.group("source", source, "how it is read");
}

void Manifest::visit(core::Fields& f) {
  f.field("name", name, {.help = "short name", .required = true});
  f.field("title", title, {.help = "what it is"});
  f.field("source", source, {.help = "where to get it"});
  f.field("licence", licence, {.help = "under which it may be used"});
  f.field("citation", citation, {.help = "the publication to name"});
  f.field("note", note, {.help = "what its users should know"});
  f.field("folder", folder, {.help = "where its files usually lie; relative to this file"});
  f.field("class_names", class_names, {.help = "of all parts that name none"});
  f.list("files", files, "the files that it is made of");
  f.list("parts", parts, "the versions that come of it");
}

Manifest load_manifest(const std::filesystem::path& file,
                       const std::vector<std::string>& overrides) {
  const core::ConfigNode node = core::load_config(file, overrides);
  Manifest manifest = core::read_options<Manifest>(node);
  for (size_t i = 0; i < manifest.parts.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (manifest.parts[k].name == manifest.parts[i].name) {
        throw core::Error(
            core::ErrorKind::Config,
            fmt::format(
                "{}: parts.{}.name: '{}' occurs twice", file.string(), i, manifest.parts[i].name));
      }
    }
    if (manifest.parts[i].source.class_names.empty()) {
      manifest.parts[i].source.class_names = manifest.class_names;
    }
  }
  if (manifest.parts.empty()) {
    throw core::Error(core::ErrorKind::Config,
                      fmt::format("{}: parts: a data set needs at least one part", file.string()));
  }
  return manifest;
}

void check_files(const Manifest& manifest,
                 const ManifestPart& part,
                 const std::filesystem::path& folder) {
  std::set<std::string> wanted(part.source.files.begin(), part.source.files.end());
  wanted.insert(part.source.label_files.begin(), part.source.label_files.end());
  for (const ColumnFile& column : part.source.columns) {
    wanted.insert(column.file);
  }
  for (const ManifestFile& file : manifest.files) {
    if (!wanted.contains(file.path)) {
      continue;
    }
    const std::filesystem::path path = folder / file.path;
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
      throw core::Error(
          core::ErrorKind::NotFound,
          fmt::format("{}: no such file; get it from {}, and name its folder with --from",
                      path.string(),
                      manifest.source));
    }
    if (file.sha256.empty()) {
      continue;
    }
    const std::string found = core::sha256(read_unzipped(path));
    if (found != file.sha256) {
      refuse_file(path,
                  fmt::format("its content has SHA-256 {}, the manifest says {}; get the file anew",
                              found,
                              file.sha256));
    }
  }
}

Version write_part(const Manifest& manifest,
                   const ManifestPart& part,
                   const ImportedSamples& samples,
                   std::vector<std::string> parents,
                   const std::filesystem::path& versions) {
  std::map<std::string, std::string> origin = samples.notes;
  origin["dataset"] = manifest.name;
  origin["part"] = part.name;
  origin["source"] = manifest.source;
  origin["licence"] = manifest.licence;
  origin["format"] = part.source.format;
  return write_version(
      versions, *samples.dataset, std::move(parents), origin, samples.origins, samples.columns);
}

}  // namespace coppice::data

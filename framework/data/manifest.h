#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/reader.h"
#include "data/store.h"

namespace coppice::data {

/// A file that a data set is made of.
struct ManifestFile {
  std::string path;    ///< relative to the data set's folder
  std::string sha256;  ///< of its content, unzipped: gzip writes one content in many ways; "": not
                       ///< checked

  void visit(core::Fields& f);
};

/// One version that comes of it: "train", "test".
struct ManifestPart {
  std::string name;
  SourceOptions source;

  void visit(core::Fields& f);
};

/// A known data set: where it comes from, what is in it, and how to import it (`datasets/*.yaml`).
struct Manifest {
  std::string name;
  std::string title;
  std::string source;  ///< where to get it
  std::string licence;
  std::string citation;
  std::string note;
  std::string folder;                    ///< where its files usually lie; relative to the manifest
  std::vector<std::string> class_names;  ///< of all parts that name none
  std::vector<ManifestFile> files;
  std::vector<ManifestPart> parts;

  void visit(core::Fields& f);
};

/// Throws Error{NotFound, Config} naming file, line and column; a manifest has at least one part,
/// and no two of one name.
Manifest load_manifest(const std::filesystem::path& file,
                       const std::vector<std::string>& overrides = {});

/// Throws Error{NotFound, Corrupt} for a file of the part that is missing or has another SHA-256.
void check_files(const Manifest& manifest,
                 const ManifestPart& part,
                 const std::filesystem::path& folder);

/// Writes what read_source() gave for a part as a version into `versions`; its origin tells the
/// manifest, the part and the reader's notes.
Version write_part(const Manifest& manifest,
                   const ManifestPart& part,
                   const ImportedSamples& samples,
                   std::vector<std::string> parents,
                   const std::filesystem::path& versions);

}  // namespace coppice::data

#pragma once

#include <filesystem>

#include "data/dataset.h"
#include "data/store.h"
#include "loop/options.h"

namespace coppice::loop {

/// A data-set version and its samples.
struct Part {
  data::Version version;
  data::DatasetPtr samples;
};

struct ImportedData {
  Part all;       ///< the training files, as imported
  Part train;     ///< no withheld classes
  Part held_out;  ///< every class, in equal shares
  Part field;     ///< the rest, dealt to the devices; empty size allowed
  Part test;
};

/// Reads the files, writes them as immutable versions into `folder` and splits: first the held-out
/// part, stratified over all classes, then the training part, stratified over the classes that are
/// not withheld; the field gets what is left, withheld classes only as far as the others run out.
/// Throws Error{InvalidArgument} when the sizes exceed the data.
ImportedData import_data(const DataOptions& options,
                         const std::vector<std::string>& withheld_classes,
                         const std::filesystem::path& folder,
                         uint64_t seed);

/// Of the samples as they will be imported; reads the test part for it. Throws what reading throws.
data::Schema schema_of(const DataOptions& options);

/// For kinds of experiments that judge classifiers. Throws Error{Unsupported} for other data.
void require_classes(const ImportedData& data, const std::string& kind);

}  // namespace coppice::loop

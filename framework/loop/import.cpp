#include "loop/import.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "data/readers.h"
#include "data/resize.h"
#include "data/split.h"

namespace coppice::loop {

namespace {

using Indices = std::vector<int64_t>;

Indices without(const Indices& all, const Indices& taken) {
  const std::set<int64_t> gone(taken.begin(), taken.end());
  Indices rest;
  std::copy_if(all.begin(), all.end(), std::back_inserter(rest), [&](int64_t i) {
    return !gone.contains(i);
  });
  return rest;
}

/// Positions of `base` picked by a stratified draw among `candidates`.
Indices draw(const data::DatasetPtr& base,
             const Indices& candidates,
             int64_t size,
             const core::Rng& rng) {
  const auto view = data::make_subset(base, candidates);
  Indices picked = data::stratified_split(*view, {size}, rng).front();
  for (int64_t& index : picked) {
    index = candidates[static_cast<size_t>(index)];
  }
  return picked;
}

/// False where there is no class: of other tasks, and of unknown labels.
bool is_one_of(const data::Dataset& dataset,
               int64_t index,
               const std::vector<std::string>& classes) {
  const int64_t label = dataset.label(index);
  return label >= 0 &&
         std::ranges::count(classes, dataset.schema().class_names.at(static_cast<size_t>(label))) >
             0;
}

class Importer {
 public:
  Importer(std::filesystem::path folder, data::DatasetPtr base, std::string parent)
      : folder_(std::move(folder)), base_(std::move(base)), parent_(std::move(parent)) {}

  Part write(const Indices& indices, const std::string& what) const {
    Part part;
    part.samples = data::make_subset(base_, indices);
    if (!indices.empty()) {
      part.version = data::write_version(folder_, *part.samples, {parent_}, {{"split", what}});
    }
    return part;
  }

 private:
  std::filesystem::path folder_;
  data::DatasetPtr base_;
  std::string parent_;
};

data::DatasetPtr sized(data::DatasetPtr samples, const DataOptions& options) {
  return options.side == 0 ? samples
                           : data::make_resized(std::move(samples), options.side, options.side);
}

Part import_idx(const std::string& images,
                const std::string& labels,
                const DataOptions& options,
                const std::filesystem::path& folder) {
  Part part;
  part.samples = sized(data::read_idx(images, labels, options.class_names), options);
  part.version =
      data::write_version(folder, *part.samples, {}, {{"images", images}, {"labels", labels}});
  return part;
}

data::ManifestPart described_part(const data::Manifest& manifest,
                                  const std::string& name,
                                  const DataOptions& options) {
  data::ManifestPart described = manifest_part(manifest, name);
  if (!options.class_names.empty()) {
    described.source.class_names = options.class_names;
  }
  return described;
}

Part import_part(const data::Manifest& manifest,
                 const std::string& name,
                 const DataOptions& options,
                 const std::filesystem::path& folder) {
  const data::ManifestPart described = described_part(manifest, name, options);
  const auto files = manifest_folder(options, manifest);
  data::check_files(manifest, described, files);
  data::ImportedSamples samples = data::read_source(described.source, files);
  samples.dataset = sized(samples.dataset, options);
  return {data::write_part(manifest, described, samples, {}, folder), samples.dataset};
}

}  // namespace

data::Schema schema_of(const DataOptions& options) {
  if (options.manifest.empty()) {
    return sized(data::read_idx(options.test_images, options.test_labels, options.class_names),
                 options)
        ->schema();
  }
  const data::Manifest manifest = data::load_manifest(options.manifest);
  const data::ManifestPart test = described_part(manifest, "test", options);
  const auto samples = data::read_source(test.source, manifest_folder(options, manifest));
  return sized(samples.dataset, options)->schema();
}

void require_classes(const ImportedData& data, const std::string& kind) {
  const std::string& task = data.test.samples->schema().task;
  if (task != "classification") {
    throw core::Error(core::ErrorKind::Unsupported,
                      fmt::format("data: it is for {}; kind: {} judges classifiers", task, kind));
  }
}

ImportedData import_data(const DataOptions& options,
                         const std::vector<std::string>& withheld_classes,
                         const std::filesystem::path& folder,
                         uint64_t seed) {
  std::filesystem::create_directories(folder);
  ImportedData result;
  if (options.manifest.empty()) {
    result.all = import_idx(options.train_images, options.train_labels, options, folder);
    result.test = import_idx(options.test_images, options.test_labels, options, folder);
  } else {
    const data::Manifest manifest = data::load_manifest(options.manifest);
    result.all = import_part(manifest, "train", options, folder);
    result.test = import_part(manifest, "test", options, folder);
  }
  const auto& base = result.all.samples;
  const core::Rng rng = core::Rng(seed).split("split");

  Indices everything(static_cast<size_t>(base->size()));
  std::iota(everything.begin(), everything.end(), 0);
  const Indices held_out = draw(base, everything, options.held_out, rng.split("held_out"));
  const Indices rest = without(everything, held_out);
  Indices known;
  Indices withheld;
  for (const int64_t index : rest) {
    (is_one_of(*base, index, withheld_classes) ? withheld : known).push_back(index);
  }
  const Indices train = draw(base, known, options.train, rng.split("train"));
  Indices field = without(known, train);
  if (options.field > static_cast<int64_t>(field.size() + withheld.size())) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("data.field asks for {} images, but only {} are left after "
                                  "data.train and data.held_out",
                                  options.field,
                                  field.size() + withheld.size()));
  }
  const auto missing = std::max<int64_t>(0, options.field - static_cast<int64_t>(field.size()));
  if (missing > 0) {
    const Indices more = draw(base, withheld, missing, rng.split("withheld"));
    field.insert(field.end(), more.begin(), more.end());
  } else if (options.field < static_cast<int64_t>(field.size())) {
    field = options.field > 0 ? draw(base, field, options.field, rng.split("field")) : Indices{};
  }
  std::sort(field.begin(), field.end());

  const Importer importer(folder, base, result.all.version.hash);
  result.train = importer.write(train, "train");
  result.held_out = importer.write(held_out, "held_out");
  result.field = importer.write(field, "field");
  return result;
}

}  // namespace coppice::loop

#pragma once

#include <string>
#include <vector>

#include "core/files.h"
#include "loop/idx_files.h"

namespace coppice::testing {

/// A folder with images in IDX files and an experiment file of `kind: train` for them, which takes
/// seconds.
class TinyExperiment {
 public:
  TinyExperiment() {
    write_idx(path(), "train", quarters(600, 12, 4, 1));
    write_idx(path(), "test", quarters(200, 12, 4, 2));
    write("tiny.yaml", yaml());
  }

  const std::filesystem::path& path() const { return folder_.path(); }

  std::filesystem::path file() const { return path() / "tiny.yaml"; }

  /// Puts a file beside it.
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    core::write_file(path() / name, text);
    return path() / name;
  }

  std::string yaml() const {
    const std::string folder = path().string() + "/";
    return "kind: train\n"
           "name: tiny\n"
           "data:\n"
           "  train_images: " +
           folder +
           "train-images\n"
           "  train_labels: " +
           folder +
           "train-labels\n"
           "  test_images: " +
           folder +
           "test-images\n"
           "  test_labels: " +
           folder +
           "test-labels\n"
           "  class_names: [top left, top right, bottom left, bottom right]\n"
           "  train: 400\n"
           "  held_out: 100\n"
           "student:\n"
           "  model: {name: mlp, widths: [24]}\n"
           "  train:\n"
           "    epochs: 2\n"
           "    batch_size: 32\n"
           "    threads: 1\n"
           "    optimizer: {learning_rate: 0.05}\n"
           "compress:\n"
           "  prune: {macs_ratio: 0.6}\n"
           "  recover: {epochs: 1, batch_size: 32, threads: 1}\n"
           "  quantise: {samples: 64}\n";
  }

 private:
  core::TemporaryFolder folder_;
};

}  // namespace coppice::testing

#include <algorithm>
#include <cstring>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/image_file.h"
#include "edge/engine_host.h"
#include "exit_code.h"
#include "release/release.h"

namespace {

using namespace coppice;

struct Options {
  std::filesystem::path release;
  std::filesystem::path key;
  std::filesystem::path images;
  runtime::EngineOptions engine{.backend = "auto"};
  uint64_t installed_counter = 0;
};

std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder)) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("'{}' does not exist", folder.string()));
  }
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file() && core::is_image_name(entry.path())) {
        files.push_back(entry.path());
      }
    }
  } else {
    files.push_back(folder);
  }
  if (files.empty()) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("there is no PNG or JPEG file in '{}'", folder.string()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

graph::Tensor load_input(const std::filesystem::path& file, const graph::Node& input) {
  const graph::Shape& shape = input.shape;
  if (shape.size() != 4 || input.dtype != graph::DType::U8) {
    throw core::Error(core::ErrorKind::Unsupported,
                      "the model's input is no raw image [batch, channels, height, width] of u8");
  }
  const core::ImageFile image = core::read_image(file, shape[1]);
  if (image.height != shape[2] || image.width != shape[3]) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("{} is {}x{} pixels, the model wants {}x{}: resize it first",
                                  file.string(),
                                  image.width,
                                  image.height,
                                  shape[3],
                                  shape[2]));
  }
  graph::Tensor tensor(graph::DType::U8, {1, shape[1], shape[2], shape[3]});
  std::memcpy(tensor.bytes(), image.pixels.data(), image.pixels.size());
  return tensor;
}

void run(const Options& options) {
  const auto key = release::read_public_key(options.key);
  const auto package = release::read_release(options.release);
  const auto manifest =
      release::verify(package, key, options.installed_counter, core::SystemClock().now());
  edge::EngineHost host(options.engine);
  host.load(package.artefact);
  fmt::print(stderr,
             "release {} of {} ({} bytes)\n",
             manifest.counter,
             manifest.name,
             manifest.artefact_bytes);
  fmt::print(stderr, "backend {} ({})\n", host.backend(), host.reason());
  const auto& names = host.model().metadata.class_names;
  const graph::Node& input = *host.model().graph.inputs().front();
  for (const auto& file : list_images(options.images)) {
    const auto prediction = host.predict(load_input(file, input)).front();
    const auto label = static_cast<size_t>(prediction.label);
    fmt::print("{}\t{}\t{:.3f}\n",
               file.string(),
               label < names.size() ? names[label] : fmt::format("{}", label),
               prediction.confidence);
  }
}

int run_main(int argc, char** argv) {
  CLI::App app{"coppice-edge: runs a signed release on a device."};
  app.set_version_flag("--version", COPPICE_VERSION);
  app.require_subcommand(1);
  Options options;
  CLI::App* command =
      app.add_subcommand("run", "Predict every image of a folder; prints file, class, confidence");
  command
      ->add_option(
          "--release", options.release, "folder with manifest.json, manifest.sig, model.onnx")
      ->required();
  command
      ->add_option(
          "--key", options.key, "public key that the release must be signed with (release.pub)")
      ->required();
  command->add_option("--images", options.images, "folder of PNG or JPEG files, or one file")
      ->required();
  command
      ->add_option("--backend",
                   options.engine.backend,
                   "inference engine: auto (the fastest here), first, onednn, xnnpack, reference")
      ->capture_default_str();
  command->add_option("--cache", options.engine.cache, "file that keeps what auto chose, or none");
  command->add_option("--threads", options.engine.threads, "threads")->capture_default_str();
  command
      ->add_option("--installed-counter",
                   options.installed_counter,
                   "refuse releases that are not newer than this")
      ->capture_default_str();
  command->footer(
      "  coppice-edge run --release runs/NAME/release --key runs/NAME/release/release.pub --images "
      "photos/");
  command->callback([&options] { run(options); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return coppice::tools::report_errors([&] { return run_main(argc, argv); });
}

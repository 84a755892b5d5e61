// sign_model MODEL.onnx FOLDER: the release that coppice-edge takes, with a key of its own.
#include <cstdio>
#include <exception>

#include "core/files.h"
#include "release/release.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: sign_model MODEL.onnx FOLDER\n");
    return 2;
  }
  try {
    using namespace coppice;
    const std::filesystem::path folder = argv[2];
    release::Manifest manifest;
    manifest.name = "footprint";
    manifest.counter = 1;
    manifest.reason = "benchmark";
    manifest.created_ms = 1;
    const auto keys = release::load_or_create_keys(folder / "keys");
    release::write_release(release::sign(manifest, core::read_file(argv[1]), keys),
                           folder / "release");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}

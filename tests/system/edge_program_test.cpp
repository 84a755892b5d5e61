// coppice-edge: predictions of a signed release, and what it refuses.

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jpeglib.h>
#include <png.h>

#include "core/hash.h"
#include "data/dataset.h"
#include "graph/onnx.h"
#include "loop/fake_trainer.h"
#include "loop/idx_files.h"
#include "release/release.h"
#include "system/program.h"

namespace coppice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int64_t kSide = 8;
constexpr uint64_t kCounter = 5;
const std::vector<std::string> kNames{"top left", "top right", "bottom left", "bottom right"};

std::vector<uint8_t> pixels_of(const Images& images, size_t i) {
  const auto* begin = reinterpret_cast<const uint8_t*>(images.pixels.data()) + i * kSide * kSide;
  return {begin, begin + kSide * kSide};
}

void write_png(const fs::path& file, std::vector<uint8_t> pixels, int64_t width, int64_t height) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(width);
  png.height = static_cast<png_uint_32>(height);
  png.format = PNG_FORMAT_GRAY;
  ASSERT_NE(png_image_write_to_file(&png, file.c_str(), 0, pixels.data(), 0, nullptr), 0);
}

void write_jpeg(const fs::path& file, std::vector<uint8_t> pixels) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  std::FILE* stream = std::fopen(file.c_str(), "wb");
  jpeg_stdio_dest(&info, stream);
  info.image_width = info.image_height = kSide;
  info.input_components = 1;
  info.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    uint8_t* row = pixels.data() + info.next_scanline * kSide;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::fclose(stream);
}

class EdgeProgram : public ::testing::Test {
 protected:
  EdgeProgram() {
    const Images images = quarters(200, kSide, 4, 1);
    data::Schema schema;
    schema.sample_shape = {1, kSide, kSide};
    schema.class_names = kNames;
    std::vector<int64_t> labels;
    for (const std::byte label : images.labels) {
      labels.push_back(std::to_integer<int64_t>(label));
    }
    const auto dataset = data::make_memory_dataset(schema, images.pixels, labels);
    release::Manifest manifest;
    manifest.name = "quarters";
    manifest.counter = kCounter;
    manifest.reason = "first";
    manifest.created_ms = 1;
    manifest.metrics = {{"accuracy", 0.99}};
    const auto keys = release::load_or_create_keys(folder_.path() / "keys");
    const auto model = graph::to_onnx(loop::fitted_network(*dataset, 1));
    release::write_release(release::sign(manifest, model, keys), release());
    fs::create_directory(photos());
    for (size_t i = 0; i < 8; ++i) {
      const std::string name = "photo-" + std::to_string(i);
      if (i < 6) {
        write_png(photos() / (name + ".png"), pixels_of(images, i), kSide, kSide);
      } else {
        write_jpeg(photos() / (name + ".JPG"), pixels_of(images, i));
      }
    }
    core::write_file(photos() / "notes.txt", "not an image");
  }

  fs::path release() const { return folder_.path() / "release"; }

  fs::path photos() const { return folder_.path() / "photos"; }

  Outcome run(std::vector<std::string> more = {}, const fs::path& images = {}) const {
    std::vector<std::string> command{COPPICE_EDGE,
                                     "run",
                                     "--release",
                                     release().string(),
                                     "--key",
                                     (folder_.path() / "keys" / "release.pub").string(),
                                     "--images",
                                     (images.empty() ? photos() : images).string()};
    command.insert(command.end(), more.begin(), more.end());
    return run_program(command);
  }

  void expect_refused(const fs::path& altered) const {
    const Outcome outcome = run();
    SCOPED_TRACE(altered.string());
    EXPECT_TRUE(outcome.exit_code == 5 || outcome.exit_code == 6) << outcome.exit_code;
    expect_error_line(outcome, outcome.exit_code, HasSubstr("release"));
    EXPECT_EQ(outcome.out, "") << "nothing is predicted with it";
  }

  core::TemporaryFolder folder_;
};

TEST_F(EdgeProgram, PredictsEveryImageOfAFolder) {
  const Outcome outcome = run();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  EXPECT_THAT(outcome.error, HasSubstr("release 5 of quarters"));
  std::istringstream lines(outcome.out);
  std::string line;
  size_t count = 0;
  for (; std::getline(lines, line); ++count) {
    std::istringstream cells(line);
    std::string file;
    std::string name;
    std::string confidence;
    std::getline(cells, file, '\t');
    std::getline(cells, name, '\t');
    std::getline(cells, confidence, '\t');
    EXPECT_EQ(fs::path(file).stem().string(), "photo-" + std::to_string(count)) << "in order";
    EXPECT_EQ(name, kNames[count % 4]);
    EXPECT_GT(std::stod(confidence), 0.25);
    EXPECT_LE(std::stod(confidence), 1);
  }
  EXPECT_EQ(count, 8);
}

TEST_F(EdgeProgram, BackendsAgreeAndASingleFileWillDo) {
  const auto classes = [](const std::string& out) {
    std::string result;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) {
      result += line.substr(0, line.rfind('\t')) + "\n";
    }
    return result;
  };
  EXPECT_EQ(classes(run({"--backend", "reference"}).out), classes(run().out));
  const Outcome single = run({}, photos() / "photo-2.png");
  EXPECT_THAT(single.out, HasSubstr("photo-2.png\tbottom left\t"));
  expect_error_line(run({"--backend", "onednm"}), 3, HasSubstr("onednm"));
}

TEST_F(EdgeProgram, RefusesAReleaseWithAnyByteAltered) {
  for (const char* name : {"manifest.json", "manifest.sig", "model.onnx"}) {
    const fs::path file = release() / name;
    const core::Bytes whole = core::read_file(file);
    const size_t step = std::max<size_t>(1, whole.size() / 16);
    for (size_t at = 0; at < whole.size(); at += step) {
      core::Bytes altered = whole;
      altered[at] ^= std::byte{1};
      core::write_file(file, altered);
      expect_refused(file);
    }
    core::write_file(file, whole);
  }
  EXPECT_EQ(run().exit_code, 0) << "whole again";
}

TEST_F(EdgeProgram, RefusesTruncatedAndLengthenedParts) {
  for (const char* name : {"manifest.json", "manifest.sig", "model.onnx"}) {
    const fs::path file = release() / name;
    const core::Bytes whole = core::read_file(file);
    for (const size_t size : {size_t{0}, whole.size() / 2, whole.size() - 1, whole.size() + 1}) {
      core::Bytes changed = whole;
      changed.resize(size);
      core::write_file(file, changed);
      expect_refused(file);
    }
    fs::remove(file);
    expect_error_line(run(), 3, HasSubstr(name));
    core::write_file(file, whole);
  }
}

TEST_F(EdgeProgram, RefusesAReleaseThatIsNotNewer) {
  EXPECT_EQ(run({"--installed-counter", std::to_string(kCounter - 1)}).exit_code, 0);
  for (const uint64_t installed : {kCounter, kCounter + 1}) {
    expect_error_line(
        run({"--installed-counter", std::to_string(installed)}), 6, HasSubstr("counter"));
  }
}

TEST_F(EdgeProgram, RefusesTheKeyOfAnotherPublisher) {
  release::load_or_create_keys(folder_.path() / "others");
  fs::copy_file(folder_.path() / "others" / "release.pub",
                folder_.path() / "keys" / "release.pub",
                fs::copy_options::overwrite_existing);
  expect_error_line(run(), 6, HasSubstr("signature"));
}

TEST_F(EdgeProgram, ADamagedImageEndsItWithOneLine) {
  for (const char* name : {"photo-0.png", "photo-7.JPG"}) {
    const fs::path bad = folder_.path() / ("bad" + fs::path(name).extension().string());
    core::Bytes bytes = core::read_file(photos() / name);
    bytes.resize(bytes.size() - bytes.size() / 3);
    core::write_file(bad, bytes);
    expect_last_error_line(run({}, bad), 5, HasSubstr(bad.string()));
    core::write_file(bad, "not an image at all");
    expect_last_error_line(run({}, bad), 5, HasSubstr(bad.string()));
  }
  core::Bytes bytes = core::read_file(photos() / "photo-0.png");
  bytes[bytes.size() / 2] ^= std::byte{1};
  core::write_file(folder_.path() / "bad.png", bytes);
  expect_last_error_line(run({}, folder_.path() / "bad.png"), 5, HasSubstr("bad.png"));
}

TEST_F(EdgeProgram, AnImageOfAnotherSizeIsRefused) {
  const fs::path wide = folder_.path() / "wide.png";
  write_png(wide, std::vector<uint8_t>(10 * 8), 10, 8);
  expect_last_error_line(run({}, wide), 2, HasSubstr("10x8"));
  expect_last_error_line(run({}, folder_.path() / "nowhere"), 3, HasSubstr("nowhere"));
  expect_last_error_line(run({}, folder_.path() / "keys"), 3, HasSubstr("no PNG or JPEG"));
}

}  // namespace
}  // namespace coppice::testing

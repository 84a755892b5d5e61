#include "data/reader.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <png.h>

#include "core/expect_error.h"
#include "core/files.h"
#include "data/samples.h"
#include "data/store.h"

namespace coppice::data {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReaderTest : public ::testing::Test {
 protected:
  void put(const std::string& name, std::span<const std::byte> bytes) const {
    test::put_file(folder_.path() / name, bytes);
  }

  ImportedSamples read(const SourceOptions& options) const {
    return read_source(options, folder_.path());
  }

  core::TemporaryFolder folder_;
};

/// As numpy.save writes it; versions 2 and 3 have a longer length.
template <class T>
core::Bytes npy(const std::string& type,
                const std::string& shape,
                const std::vector<T>& values,
                char version = 1,
                const std::string& order = "False") {
  const std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  std::string text = "\x93NUMPY";
  text += version;
  text += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    text += static_cast<char>(header.size() >> (8 * i));
  }
  text += header;
  const auto bytes = core::as_bytes(text);
  core::Bytes file(bytes.begin(), bytes.end());
  const auto data = std::as_bytes(std::span(values));
  file.insert(file.end(), data.begin(), data.end());
  return file;
}

class Npy : public ReaderTest {
 protected:
  Npy() {
    options_.format = "npy";
    options_.files = {"x.npy"};
    options_.label_files = {"y.npy"};
    put("x.npy", npy<float>("<f4", "(2, 3)", {1, 2, 3, 4, 5, 6}));
    put("y.npy", npy<uint8_t>("|u1", "(2,)", {1, 0}));
  }

  SourceOptions options_;
};

TEST_F(Npy, ReadsAllVersionsOfTheFormat) {
  for (const char version : {'\1', '\2', '\3'}) {
    put("x.npy", npy<double>("<f8", "(2, 3)", {1, 2, 3, 4, 5, 6}, version));
    const Batch batch = read_all(*read(options_).dataset);
    EXPECT_THAT(test::floats_of(batch.samples), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_THAT(batch.labels, ElementsAre(1, 0));
  }
}

TEST_F(Npy, KeepsBytesAndTakesAllOtherNumbersAsFloats) {
  put("x.npy", npy<uint8_t>("|u1", "(2, 1, 1, 2)", {1, 2, 3, 255}));
  EXPECT_EQ(read(options_).dataset->schema().type, ElementType::U8);
  EXPECT_THAT(read(options_).dataset->schema().sample_shape, ElementsAre(1, 1, 2));
  put("x.npy", npy<int16_t>("<i2", "(2,)", {-7, 9}));
  EXPECT_THAT(test::floats_of(read_all(*read(options_).dataset).samples), ElementsAre(-7, 9));
}

TEST_F(Npy, ReadsTargetsColumnsAndOffsets) {
  options_.columns = {{"batch", "y.npy"}};
  options_.first_label = 1;
  put("y.npy", npy<int64_t>("<i8", "(2,)", {3, 1}));
  const ImportedSamples classes = read(options_);
  EXPECT_THAT(read_all(*classes.dataset).labels, ElementsAre(2, 0));
  EXPECT_THAT(classes.dataset->schema().class_names, ElementsAre("1", "2", "3"));
  EXPECT_THAT(classes.columns.at("batch"), ElementsAre("3", "1"));
  options_.task = "regression";
  options_.columns = {};
  put("y.npy", npy<double>("<f8", "(2, 2)", {0.5, 1, 2, 4}));
  EXPECT_THAT(read_all(*read(options_).dataset).targets, ElementsAre(0.5F, 1, 2, 4));
  EXPECT_THAT(read(options_).dataset->schema().target_names, ElementsAre("target_0", "target_1"));
}

TEST_F(Npy, RefusesWhatItCantReadAndSaysWhy) {
  put("x.npy", npy<float>(">f4", "(2, 3)", {1, 2, 3, 4, 5, 6}));
  EXPECT_ERROR(read(options_), Unsupported, AllOf(HasSubstr("'>f4'"), HasSubstr("astype")));
  put("x.npy", npy<float>("<f4", "(2, 3)", {1, 2, 3, 4, 5, 6}, 1, "True"));
  EXPECT_ERROR(read(options_), Unsupported, HasSubstr("ascontiguousarray"));
  put("x.npy", npy<float>("<f4", "(2, 3)", {1, 2, 3, 4, 5, 6}, 4));
  EXPECT_ERROR(read(options_), Unsupported, HasSubstr("NPY format 4.0"));
  put("x.npy", npy<float>("<f4", "(2, 3)", {1, 2, 3, 4, std::nanf(""), 6}));
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("x.npy: row 1: its value 1 is nan"));
  put("x.npy", npy<double>("<f8", "(2, 1)", {1, 1e300}));
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("f32 can't hold"));
}

TEST_F(Npy, RefusesFilesTruncatedAnywhereAndTrailingBytes) {
  const auto file = folder_.path() / "x.npy";
  for (auto size = std::filesystem::file_size(file); size > 0;) {
    std::filesystem::resize_file(file, --size);
    EXPECT_ERROR(read(options_), Corrupt, HasSubstr(file.string()));
  }
  core::Bytes longer = npy<float>("<f4", "(2, 3)", {1, 2, 3, 4, 5, 6});
  longer.push_back(std::byte{0});
  put("x.npy", longer);
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("trailing bytes"));
  put("x.npy", npy<float>("<f4", "(4294967296, 4294967296, 4294967296)", {1}));
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("truncated"));
}

TEST_F(Npy, RefusesLabelsThatDoNotFit) {
  put("y.npy", npy<uint8_t>("|u1", "(3,)", {1, 0, 1}));
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("3 rows for the 2 samples"));
  put("y.npy", npy<float>("<f4", "(2,)", {1, 0.5F}));
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("y.npy: row 1: label 0.5"));
  options_.class_names = {"a", "b"};
  put("y.npy", npy<uint8_t>("|u1", "(2,)", {0, 2}));
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("row 1: label 2 is not among 2 classes"));
  options_.label_files = {};
  EXPECT_ERROR(read(options_), InvalidArgument, HasSubstr("needs labels"));
  options_.task = "reconstruction";
  EXPECT_THAT(read_all(*read(options_).dataset).labels, Each(-1));
}

class Cifar : public ReaderTest {
 protected:
  /// `labels` before each image of one value.
  static core::Bytes records(const std::vector<std::vector<int>>& labels) {
    core::Bytes bytes;
    for (size_t i = 0; i < labels.size(); ++i) {
      for (const int label : labels[i]) {
        bytes.push_back(static_cast<std::byte>(label));
      }
      bytes.insert(bytes.end(), 3072, static_cast<std::byte>(10 * (i + 1)));
    }
    return bytes;
  }
};

TEST_F(Cifar, ReadsTenClassesFromSeveralFiles) {
  put("1.bin", records({{7}, {9}}));
  put("2.bin", records({{0}}));
  SourceOptions options;
  options.format = "cifar10";
  options.files = {"1.bin", "2.bin"};
  const ImportedSamples read_back = read(options);
  const Batch batch = read_all(*read_back.dataset);
  EXPECT_THAT(batch.labels, ElementsAre(7, 9, 0));
  EXPECT_THAT(read_back.dataset->schema().sample_shape, ElementsAre(3, 32, 32));
  EXPECT_EQ(batch.samples[3071], std::byte{10});
  EXPECT_EQ(batch.samples[3072], std::byte{20});
  put("2.bin", records({{0}, {10}}));
  EXPECT_ERROR(
      read(options), Corrupt, AllOf(HasSubstr("2.bin"), HasSubstr("record 1 (offset 3073)")));
  put("2.bin", core::Bytes(3072));
  EXPECT_ERROR(read(options), Corrupt, HasSubstr("truncated"));
}

TEST_F(Cifar, ReadsAHundredClassesAndKeepsTheSuperclass) {
  put("train.bin", records({{19, 99}, {4, 30}}));
  SourceOptions options;
  options.format = "cifar100";
  options.files = {"train.bin"};
  const ImportedSamples read_back = read(options);
  EXPECT_THAT(read_all(*read_back.dataset).labels, ElementsAre(99, 30));
  EXPECT_THAT(read_back.columns.at("superclass"), ElementsAre("19", "4"));
  options.class_names = {"a"};
  EXPECT_ERROR(read(options), InvalidArgument, HasSubstr("1 class names"));
}

class Folder : public ReaderTest {
 protected:
  Folder() {
    options_.format = "folder";
    options_.files = {"images"};
    options_.channels = 1;
    for (const char* name : {"images/dog", "images/cat"}) {
      std::filesystem::create_directories(folder_.path() / name);
    }
    put_png("images/cat/b.png", 2, 3, 40);
    put_png("images/cat/a.png", 2, 3, 30);
    put_png("images/dog/z.PNG", 2, 3, 50);
    put("images/dog/readme.txt", core::as_bytes("no image"));
  }

  void put_png(const std::string& name, uint32_t height, uint32_t width, uint8_t grey) const {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = width;
    image.height = height;
    image.format = PNG_FORMAT_GRAY;
    const std::vector<uint8_t> pixels(size_t{height} * width, grey);
    ASSERT_NE(png_image_write_to_file(
                  &image, (folder_.path() / name).c_str(), 0, pixels.data(), 0, nullptr),
              0);
  }

  SourceOptions options_;
};

TEST_F(Folder, TakesFoldersAsClassesInOrderOfNames) {
  const ImportedSamples read_back = read(options_);
  const Batch batch = read_all(*read_back.dataset);
  EXPECT_THAT(read_back.dataset->schema().class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(read_back.dataset->schema().sample_shape, ElementsAre(1, 2, 3));
  EXPECT_THAT(batch.labels, ElementsAre(0, 0, 1));
  EXPECT_THAT(read_back.origins, ElementsAre("cat/a.png", "cat/b.png", "dog/z.PNG"));
  EXPECT_EQ(batch.samples[0], std::byte{30});
  EXPECT_EQ(batch.samples[17], std::byte{50});
  options_.channels = 3;
  EXPECT_THAT(read(options_).dataset->schema().sample_shape, ElementsAre(3, 2, 3));
}

TEST_F(Folder, RefusesDifferingSizesBrokenFilesAndUnknownClasses) {
  put_png("images/dog/zz.png", 3, 3, 1);
  EXPECT_ERROR(
      read(options_),
      Corrupt,
      AllOf(HasSubstr("zz.png"), HasSubstr("[1, 3, 3]"), HasSubstr("a.png has [1, 2, 3]")));
  const auto broken = folder_.path() / "images/dog/zz.png";
  put_png("images/dog/zz.png", 2, 3, 1);
  std::filesystem::resize_file(broken, std::filesystem::file_size(broken) - 20);
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("zz.png"));
  std::filesystem::remove(broken);
  options_.class_names = {"cat", "dogs"};
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("'dog' is not among the class names (did you"));
  options_.class_names = {};
  std::filesystem::create_directories(folder_.path() / "images/empty");
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("no PNG or JPEG images"));
  options_.files = {"nowhere"};
  EXPECT_ERROR(read(options_), NotFound, HasSubstr("nowhere"));
}

class PlainHdf5 : public ReaderTest {
 protected:
  PlainHdf5() {
    options_.format = "hdf5";
    options_.files = {"d.h5"};
    options_.hdf5 = {"x", "group/y"};
    const hid_t file =
        H5Fcreate((folder_.path() / "d.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    const std::vector<double> samples = {1, 2, 3, 4, 5, 6};
    write(file, "x", H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, {3, 2}, samples.data());
    const std::vector<int> labels = {2, 0, 1};
    write(file, "group/y", H5T_STD_I16LE, H5T_NATIVE_INT, {3}, labels.data());
    H5Fclose(file);
  }

  static void write(hid_t file,
                    const char* name,
                    hid_t file_type,
                    hid_t memory_type,
                    const std::vector<hsize_t>& shape,
                    const void* values) {
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t set =
        H5Dcreate2(file, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
  }

  SourceOptions options_;
};

TEST_F(PlainHdf5, ReadsTwoDataSetsOfAnyNumberType) {
  const Batch batch = read_all(*read(options_).dataset);
  EXPECT_THAT(test::floats_of(batch.samples), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(batch.labels, ElementsAre(2, 0, 1));
}

TEST_F(PlainHdf5, ReadsVersionsOfOtherPrograms) {
  const Version version = write_version(folder_.path(), *test::with_counts({2, 3}), {}, {});
  options_.files = {version.file.filename().string()};
  options_.hdf5 = {};
  options_.class_names = test::class_names(2);
  const Batch batch = read_all(*read(options_).dataset);
  EXPECT_EQ(batch.samples, read_all(*test::with_counts({2, 3})).samples);
  EXPECT_EQ(batch.labels, read_all(*test::with_counts({2, 3})).labels);
}

TEST_F(PlainHdf5, RefusesWhatIsNotThere) {
  options_.hdf5.samples = "z";
  EXPECT_ERROR(read(options_), Corrupt, AllOf(HasSubstr("d.h5"), HasSubstr("'z'")));
  put("d.h5", core::as_bytes("no HDF5 at all"));
  EXPECT_ERROR(read(options_), Corrupt, HasSubstr("d.h5"));
  options_.files = {"e.h5"};
  EXPECT_ERROR(read(options_), NotFound, HasSubstr("e.h5"));
}

TEST_F(ReaderTest, RefuseASourceWithoutFilesAndUnknownFormats) {
  SourceOptions options;
  options.format = "csv";
  EXPECT_ERROR(read(options), InvalidArgument, HasSubstr("without files"));
  options.files = {"x"};
  options.format = "nyp";
  EXPECT_ERROR(read(options), NotFound, HasSubstr("did you mean 'npy'?"));
  EXPECT_THAT(readers().names(), Contains("idx"));
}

}  // namespace
}  // namespace coppice::data

#include <algorithm>
#include <array>
#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <jpeglib.h>

#include "core/error.h"
#include "data/transforms/corruptions/corruption.h"

namespace coppice::data {

namespace {

/// libjpeg reports through a callback that must not return.
struct JpegFailure {
  jpeg_error_mgr manager;
  std::jmp_buf escape;
};

void escape_libjpeg(j_common_ptr info) {
  std::longjmp(reinterpret_cast<JpegFailure*>(info->err)->escape, 1);
}

void prepare(JpegFailure& failure, jpeg_error_mgr*& slot) {
  slot = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = escape_libjpeg;
  failure.manager.output_message = [](j_common_ptr) {
  };
}

/// An encoded image in libjpeg's memory.
struct Encoded {
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): libjpeg's type

  Encoded() = default;
  Encoded(const Encoded&) = delete;
  Encoded& operator=(const Encoded&) = delete;

  ~Encoded() { std::free(bytes); }
};

/// `pixels` are interleaved rows. False only when memory is out.
bool encode(std::vector<unsigned char>& pixels,
            const Pixels& image,
            int quality,
            Encoded& encoded) {
  jpeg_compress_struct info{};
  JpegFailure failure{};
  prepare(failure, info.err);
  if (setjmp(failure.escape) != 0) {
    jpeg_destroy_compress(&info);
    return false;
  }
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &encoded.bytes, &encoded.size);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.input_components = static_cast<int>(image.channels);
  info.in_color_space = image.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    unsigned char* row = pixels.data() + static_cast<size_t>(info.next_scanline) *
                                             info.image_width *
                                             static_cast<size_t>(info.input_components);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  return true;
}

bool decode(const Encoded& encoded, std::vector<unsigned char>& pixels) {
  jpeg_decompress_struct info{};
  JpegFailure failure{};
  prepare(failure, info.err);
  if (setjmp(failure.escape) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, encoded.bytes, encoded.size);
  jpeg_read_header(&info, TRUE);
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    unsigned char* row = pixels.data() + static_cast<size_t>(info.output_scanline) *
                                             info.output_width *
                                             static_cast<size_t>(info.output_components);
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

class JpegCorruption final : public Corruption {
 public:
  bool fits(const Schema& schema) const override {
    return Corruption::fits(schema) &&
           (schema.sample_shape.front() == 1 || schema.sample_shape.front() == 3);
  }

  std::string_view needs() const override { return "images [1 or 3, height, width]"; }

 private:
  void corrupt(Pixels& image, size_t level, core::Rng& /*rng*/) const override {
    constexpr std::array<int, 5> kQuality = {80, 65, 58, 50, 40};
    thread_local std::vector<unsigned char> interleaved;
    interleaved.resize(image.values.size());
    for_each(image, interleaved, [](unsigned char& byte, float& value) {
      byte = static_cast<unsigned char>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255));
    });
    Encoded encoded;
    if (!encode(interleaved, image, kQuality[level], encoded) || !decode(encoded, interleaved)) {
      throw core::Error(core::ErrorKind::Io,
                        "libjpeg could not compress an image; free some memory");
    }
    for_each(image, interleaved, [](unsigned char& byte, float& value) {
      value = static_cast<float>(byte) / 255;
    });
  }

  template <class Visit>
  static void for_each(Pixels& image, std::vector<unsigned char>& interleaved, const Visit& visit) {
    for (int64_t c = 0; c < image.channels; ++c) {
      for (int64_t i = 0; i < image.height * image.width; ++i) {
        visit(interleaved[static_cast<size_t>(i * image.channels + c)], image.plane(c)[i]);
      }
    }
  }
};

}  // namespace

std::shared_ptr<const Transform> make_cifar10c_jpeg_compression() {
  return std::make_shared<JpegCorruption>();
}

}  // namespace coppice::data

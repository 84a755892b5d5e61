#include "core/image_file.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <jpeglib.h>
#include <png.h>

#include "core/error.h"
#include "core/files.h"

namespace coppice::core {

namespace {

constexpr int64_t kLargestSide = 16384;

std::string lower_extension(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return extension;
}

/// [height, width, channels] to [channels, height, width].
ImageFile planar(const std::vector<uint8_t>& interleaved,
                 int64_t channels,
                 int64_t height,
                 int64_t width) {
  ImageFile image{channels, height, width, std::vector<uint8_t>(interleaved.size())};
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < height * width; ++i) {
      image.pixels[static_cast<size_t>(c * height * width + i)] =
          interleaved[static_cast<size_t>(i * channels + c)];
    }
  }
  return image;
}

[[noreturn]] void refuse_image(const std::filesystem::path& file, const std::string& why) {
  throw Error(ErrorKind::Corrupt, fmt::format("{}: {}", file.string(), why));
}

ImageFile read_png(const std::filesystem::path& file, const Bytes& bytes, int64_t channels) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, decltype(&png_image_free)> guard(&png, png_image_free);
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) {
    refuse_image(file, png.message);
  }
  if (png.width > kLargestSide || png.height > kLargestSide) {
    refuse_image(file,
                 fmt::format("an image of {}x{} pixels is not accepted", png.width, png.height));
  }
  png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(png));
  if (png_image_finish_read(&png, nullptr, pixels.data(), 0, nullptr) == 0) {
    refuse_image(file, png.message);
  }
  return planar(pixels, channels, png.height, png.width);
}

/// libjpeg reports through a callback that must not return.
struct JpegErrors {
  jpeg_error_mgr manager;
  std::jmp_buf escape;
  std::array<char, JMSG_LENGTH_MAX> message;
};

void escape_jpeg(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  info->err->format_message(info, errors->message.data());
  std::longjmp(errors->escape, 1);
}

ImageFile read_jpeg(const std::filesystem::path& file, const Bytes& bytes, int64_t channels) {
  jpeg_decompress_struct info{};
  JpegErrors errors{};
  std::vector<uint8_t> pixels;
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = escape_jpeg;
  errors.manager.output_message = [](j_common_ptr) {
  };
  if (setjmp(errors.escape) != 0) {
    jpeg_destroy_decompress(&info);
    refuse_image(file, errors.message.data());
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&info);
  const size_t stride = static_cast<size_t>(info.output_width) * static_cast<size_t>(channels);
  pixels.resize(stride * info.output_height);
  while (info.output_scanline < info.output_height) {
    uint8_t* row = pixels.data() + stride * info.output_scanline;
    jpeg_read_scanlines(&info, &row, 1);
  }
  const auto height = static_cast<int64_t>(info.output_height);
  const auto width = static_cast<int64_t>(info.output_width);
  const bool damaged = errors.manager.num_warnings > 0;
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  if (damaged) {
    refuse_image(file, "the JPEG data is damaged or truncated");
  }
  return planar(pixels, channels, height, width);
}

}  // namespace

bool is_image_name(const std::filesystem::path& file) {
  const std::string extension = lower_extension(file);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

ImageFile read_image(const std::filesystem::path& file, int64_t channels) {
  if (channels != 1 && channels != 3) {
    throw Error(ErrorKind::Unsupported,
                fmt::format("{} channels are wanted; images have 1 or 3", channels));
  }
  const Bytes bytes = read_file(file);
  return lower_extension(file) == ".png" ? read_png(file, bytes, channels)
                                         : read_jpeg(file, bytes, channels);
}

}  // namespace coppice::core

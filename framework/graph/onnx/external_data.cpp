#include "graph/onnx/external_data.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

namespace coppice::graph {

namespace {

using core::Error;
using core::ErrorKind;

[[noreturn]] void refuse_external(ErrorKind kind, std::string_view name, const std::string& why) {
  throw Error(kind, fmt::format("ONNX tensor '{}': {}", name, why));
}

struct Place {
  std::string location;
  int64_t offset = 0;
  int64_t length = -1;  ///< -1: as many bytes as the shape takes
};

int64_t count_of(const std::string& text, std::string_view key, std::string_view name) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    refuse_external(
        ErrorKind::Corrupt, name, fmt::format("{} '{}' of its external data", key, text));
  }
  return value;
}

Place place_of(const onnx::TensorProto& proto, std::string_view name) {
  Place place;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      place.location = entry.value();
    } else if (entry.key() == "offset") {
      place.offset = count_of(entry.value(), "offset", name);
    } else if (entry.key() == "length") {
      place.length = count_of(entry.value(), "length", name);
    } else if (entry.key() != "checksum") {
      refuse_external(
          ErrorKind::Unsupported, name, fmt::format("key '{}' of its external data", entry.key()));
    }
  }
  return place;
}

/// Opens step by step, so that no symbolic link is followed whenever one appears. -1 with errno.
int open_below(const std::filesystem::path& folder, const std::filesystem::path& location) {
  const char* start = folder.empty() ? "." : folder.c_str();
  int here = ::open(start, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (auto part = location.begin(); here >= 0 && part != location.end(); ++part) {
    const bool last = std::next(part) == location.end();
    const int kind = last ? O_NONBLOCK : O_DIRECTORY;  // a pipe must not make us wait
    const int next = ::openat(here, part->c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind);
    const int error = errno;
    ::close(here);
    errno = error;
    here = next;
  }
  return here;
}

}  // namespace

ExternalFolder::ExternalFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

ExternalFolder::~ExternalFolder() {
  for (const auto& [location, file] : files_) {
    ::close(file.descriptor);
  }
}

ExternalFolder::File& ExternalFolder::open(const std::string& location, std::string_view name) {
  if (const auto it = files_.find(location); it != files_.end()) {
    return it->second;
  }
  const std::filesystem::path path = location;
  bool inside = !location.empty() && !path.is_absolute() &&
                location.find('\0') == std::string::npos && path.has_filename();
  for (const auto& part : path) {
    inside = inside && part != ".." && part != ".";
  }
  if (!inside) {
    refuse_external(ErrorKind::Refused,
                    name,
                    fmt::format("its data lies outside the model's folder, in '{}'", location));
  }
  const int descriptor = open_below(folder_, path);
  if (descriptor < 0) {
    const int error = errno;
    if (error == ELOOP || error == ENOTDIR) {
      refuse_external(ErrorKind::Refused,
                      name,
                      fmt::format("its data '{}' is no plain file in plain folders: symbolic "
                                  "links are not followed",
                                  location));
    }
    refuse_external(error == ENOENT ? ErrorKind::NotFound : ErrorKind::Io,
                    name,
                    fmt::format("its data '{}': {}", location, std::strerror(error)));
  }
  File& file = files_[location];
  file.descriptor = descriptor;
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    refuse_external(
        ErrorKind::Refused, name, fmt::format("its data '{}' is no plain file", location));
  }
  file.size = status.st_size;
  file.unread = file.size;
  return file;
}

Tensor ExternalFolder::read(const onnx::TensorProto& proto,
                            DType dtype,
                            Shape shape,
                            std::string_view name) {
  const Place place = place_of(proto, name);
  File& file = open(place.location, name);
  int64_t bytes = 0;
  const bool fits = !__builtin_mul_overflow(element_count(shape), size_bytes(dtype), &bytes) &&
                    (place.length < 0 || place.length == bytes) && place.offset <= file.size &&
                    bytes <= file.size - place.offset;
  if (!fits || bytes > file.unread) {
    refuse_external(ErrorKind::Corrupt,
                    name,
                    fmt::format("{} {} from byte {} on {} '{}' of {} bytes",
                                to_string(dtype),
                                to_string(shape),
                                place.offset,
                                fits ? "reads bytes again of" : "does not fit",
                                place.location,
                                file.size));
  }
  file.unread -= bytes;
  Tensor tensor(dtype, std::move(shape));
  for (int64_t done = 0; done < bytes;) {
    const ssize_t count = ::pread(file.descriptor,
                                  tensor.bytes() + done,
                                  static_cast<size_t>(bytes - done),
                                  place.offset + done);
    if (count == 0 || (count < 0 && errno != EINTR)) {
      refuse_external(ErrorKind::Io,
                      name,
                      fmt::format("its data '{}': {}",
                                  place.location,
                                  count == 0 ? "became shorter" : std::strerror(errno)));
    }
    done += std::max<ssize_t>(count, 0);
  }
  return tensor;
}

}  // namespace coppice::graph

#include "data/seal.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"

namespace coppice::data {

namespace {

constexpr std::string_view kMark = "\ncoppice-seal ";
constexpr size_t kDigits = 20;
constexpr size_t kHashDigits = 64;
constexpr size_t kSealBytes = kMark.size() + 2 * (kDigits + 1) + kHashDigits + 1;

std::string line(const Stretch& unsealed, const std::string& hash) {
  return fmt::format("{}{:020} {:020} {}\n", kMark, unsealed.offset, unsealed.size, hash);
}

/// Where the stretch lies is sealed too.
void begin(core::Sha256& hash, const Stretch& unsealed) {
  hash.update(line(unsealed, ""));
}

[[noreturn]] void fail(core::ErrorKind kind, const std::filesystem::path& file, const char* what) {
  throw core::Error(kind, fmt::format("{}: {}", file.string(), what));
}

/// Feeds `size` bytes from where `stream` stands.
void update(core::Sha256& hash, std::ifstream& stream, int64_t size) {
  std::vector<std::byte> buffer(static_cast<size_t>(std::min(size, int64_t{1} << 16U)));
  while (size > 0 && stream) {
    const auto piece = std::min(size, static_cast<int64_t>(buffer.size()));
    stream.read(reinterpret_cast<char*>(buffer.data()), piece);
    hash.update(std::span(buffer).first(static_cast<size_t>(piece)));
    size -= piece;
  }
}

int64_t parse_number(std::string_view digits) {
  int64_t value = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

std::string make_seal(std::span<const std::byte> bytes, const Stretch& unsealed) {
  core::Sha256 hash;
  begin(hash, unsealed);
  const auto offset = static_cast<size_t>(unsealed.offset);
  hash.update(bytes.first(offset));
  hash.update(bytes.subspan(offset + static_cast<size_t>(unsealed.size)));
  return line(unsealed, hash.finish());
}

void check_seal(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    fail(core::ErrorKind::NotFound, file, "no such data-set version; import it first");
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    fail(core::ErrorKind::Io, file, "can't be read; check its permissions");
  }
  std::string seal(kSealBytes, '\0');
  stream.seekg(-static_cast<std::streamoff>(kSealBytes), std::ios::end);
  const int64_t sealed = stream.tellg();
  stream.read(seal.data(), static_cast<std::streamsize>(seal.size()));
  if (!stream || !seal.starts_with(kMark)) {
    fail(core::ErrorKind::Corrupt,
         file,
         "no data-set version, or truncated; remove it and import it again");
  }
  const std::string_view numbers = std::string_view(seal).substr(kMark.size());
  const Stretch unsealed = {parse_number(numbers.substr(0, kDigits)),
                            parse_number(numbers.substr(kDigits + 1, kDigits))};
  const bool fits = unsealed.offset >= 0 && unsealed.size >= 0 && unsealed.offset <= sealed &&
                    unsealed.size <= sealed - unsealed.offset;
  core::Sha256 hash;
  begin(hash, unsealed);
  if (fits) {
    stream.seekg(0);
    update(hash, stream, unsealed.offset);
    stream.seekg(unsealed.offset + unsealed.size);
    update(hash, stream, sealed - unsealed.offset - unsealed.size);
  }
  if (!fits || !stream || line(unsealed, hash.finish()) != seal) {
    fail(core::ErrorKind::Corrupt,
         file,
         "truncated or altered, its seal is broken; remove it and import it again");
  }
}

}  // namespace coppice::data

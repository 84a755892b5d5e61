#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file_descriptor.h"
#include "release/keys.h"
#include "release/sodium.h"

namespace coppice::release {

namespace {

namespace fs = std::filesystem;

constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;

bool is_there(const fs::path& file) {
  std::error_code failed;
  const bool found = fs::exists(file, failed);
  if (failed) {
    throw core::file_error("read", file, failed.value());
  }
  return found;
}

std::string to_base64(std::span<const std::byte> bytes) {
  std::string result(sodium_base64_encoded_len(bytes.size(), kBase64), '\0');
  sodium_bin2base64(result.data(), result.size(), octets(bytes), bytes.size(), kBase64);
  result.back() = '\n';  // in the place of the terminating zero
  return result;
}

/// One line of base64 that holds exactly `size` bytes.
core::Bytes read_base64(const fs::path& file, size_t size) {
  std::string line = core::read_text(file);
  if (!line.empty() && line.back() == '\n') {
    line.pop_back();
  }
  core::Bytes bytes(size);
  size_t length = 0;
  const char* end = nullptr;
  const int status = sodium_base642bin(octets(std::span(bytes)),
                                       bytes.size(),
                                       line.data(),
                                       line.size(),
                                       nullptr,
                                       &length,
                                       &end,
                                       kBase64);
  const bool whole = status == 0 && length == size && end == line.data() + line.size();
  sodium_memzero(line.data(), line.size());
  if (!whole) {
    throw core::Error(core::ErrorKind::Corrupt,
                      fmt::format("key file '{}' is altered or truncated; restore it from a backup",
                                  file.string()));
  }
  return bytes;
}

/// Creates the key file, readable by its owner alone from its first byte on, unless another process
/// was faster: a link never replaces.
void create_key(const fs::path& key_file) {
  KeyPair keys = generate_keys();
  std::string text = to_base64(keys.secret_key);
  const core::AtomicFile temporary(key_file);
  core::FileDescriptor descriptor(
      ::open(temporary.path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!descriptor) {
    throw core::file_error("create", key_file, errno);
  }
  const auto length = static_cast<ssize_t>(text.size());
  const bool written = ::write(descriptor.get(), text.data(), text.size()) == length &&
                       ::fsync(descriptor.get()) == 0;
  if (!written) {
    throw core::file_error("write", key_file, errno);
  }
  if (const int error_number = descriptor.close(); error_number != 0) {
    throw core::file_error("write", key_file, error_number);
  }
  sodium_memzero(text.data(), text.size());
  sodium_memzero(keys.secret_key.data(), keys.secret_key.size());
  if (::link(temporary.path().c_str(), key_file.c_str()) != 0 && errno != EEXIST) {
    throw core::file_error("create", key_file, errno);
  }
  const core::FileDescriptor folder(
      ::open(key_file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) {
    throw core::file_error("create", key_file, errno);
  }
}

void require_private(const fs::path& key_file) {
  struct stat status {};

  if (::stat(key_file.c_str(), &status) != 0) {
    throw core::file_error("read", key_file, errno);
  }
  if ((status.st_mode & 077) != 0) {
    throw core::Error(core::ErrorKind::Refused,
                      fmt::format("others may read or change key file '{0}'; run: chmod 600 '{0}'",
                                  key_file.string()));
  }
}

KeyPair read_key(const fs::path& key_file) {
  core::Bytes secret = read_base64(key_file, crypto_sign_SECRETKEYBYTES);
  KeyPair keys = keys_from_seed(std::span(secret).first(crypto_sign_SEEDBYTES));
  const bool same = keys.secret_key == secret;
  sodium_memzero(secret.data(), secret.size());
  if (!same) {
    throw core::Error(
        core::ErrorKind::Corrupt,
        fmt::format(
            "key file '{}' is altered: its halves don't belong together; restore it from a backup",
            key_file.string()));
  }
  return keys;
}

}  // namespace

KeyPair load_or_create_keys(const fs::path& keys_folder) {
  init_sodium();
  const fs::path folder = keys_folder.empty() ? fs::path(".") : keys_folder;
  const fs::path key_file = folder / "release.key";
  const fs::path public_file = folder / "release.pub";
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) {
    throw core::Error(
        core::ErrorKind::Io,
        fmt::format(
            "can't create key folder '{}': {}; choose another", folder.string(), failed.message()));
  }
  // The public file is looked for first: whoever makes a pair writes the key before it.
  const bool published = is_there(public_file);
  if (!is_there(key_file)) {
    if (published) {
      throw core::Error(
          core::ErrorKind::NotFound,
          fmt::format(
              "'{}' is missing beside '{}': restore it from a backup, or remove the latter and "
              "give every device the new public key",
              key_file.string(),
              public_file.string()));
    }
    create_key(key_file);
  }
  require_private(key_file);
  KeyPair keys = read_key(key_file);
  if (!is_there(public_file)) {
    core::write_file(public_file, to_base64(keys.public_key));
  }
  if (read_public_key(public_file) != keys.public_key) {
    throw core::Error(
        core::ErrorKind::Corrupt,
        fmt::format("'{}' and '{}' don't belong together; restore the right one from a backup",
                    key_file.string(),
                    public_file.string()));
  }
  return keys;
}

core::Bytes read_public_key(const fs::path& file) {
  return read_base64(file, crypto_sign_PUBLICKEYBYTES);
}

}  // namespace coppice::release

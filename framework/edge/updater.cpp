#include "edge/updater.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "edge/part_file.h"

namespace coppice::edge {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kChunkBytes = int64_t{64} * 1024;
constexpr int64_t kLargestArtefact = 256LL * 1024 * 1024;

/// Artefacts of earlier offers, which nobody will go on with.
void remove_other_parts(const fs::path& part) {
  std::error_code failed;
  for (fs::directory_iterator entry(part.parent_path(), failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (entry->path() != part) {
      remove_quietly(entry->path());
    }
  }
}

}  // namespace

Updater::Updater(fs::path folder, core::Bytes public_key, const core::Clock& clock, Prepare prepare)
    : folder_(std::move(folder)),
      public_key_(std::move(public_key)),
      clock_(clock),
      prepare_(std::move(prepare)) {
  make_folder(folder_ / "incoming");
}

void Updater::start() {
  std::error_code ignored;
  if (!fs::exists(folder_ / "current", ignored)) {
    return;
  }
  try {
    release::Release installed = release::read_release(folder_ / "current");
    // Expiry bars new installations; a device that was off for long keeps what it has.
    const core::Timestamp before_any_expiry{};
    floor_ = release::verify_offer(
                 installed.manifest, installed.signature, public_key_, 0, before_any_expiry)
                 .counter -
             1;
    const auto manifest = release::verify(installed, public_key_, 0, before_any_expiry);
    prepare_(installed.artefact)();
    adopt(manifest, std::move(installed.manifest));
  } catch (const std::exception& error) {
    refusal_ = {0, fmt::format("the installed release can't be used: {}", error.what())};
  }
}

void Updater::offer(const link::ReleaseOffer& offer) {
  if (counter_ != 0 && offer.manifest == installed_manifest_) {
    return;
  }
  release::Manifest manifest;
  try {
    manifest = check(offer);
  } catch (const core::Error& error) {
    refusal_ = {signed_counter(offer), error.what()};
    return;
  }
  if (!incoming_ || incoming_->manifest.counter < manifest.counter) {
    attempt([&] { begin(offer, manifest); });
  }
}

release::Manifest Updater::check(const link::ReleaseOffer& offer) const {
  auto manifest =
      release::verify_offer(offer.manifest, offer.signature, public_key_, floor_, clock_.now());
  if (manifest.artefact_bytes <= 0 || manifest.artefact_bytes > kLargestArtefact) {
    throw core::Error(core::ErrorKind::Refused,
                      fmt::format("release refused: an artefact of {} bytes, at most {} are taken",
                                  manifest.artefact_bytes,
                                  kLargestArtefact));
  }
  return manifest;
}

uint64_t Updater::signed_counter(const link::ReleaseOffer& offer) const {
  try {
    return release::verify_offer(offer.manifest, offer.signature, public_key_, 0, core::Timestamp{})
        .counter;
  } catch (const core::Error&) {
    return 0;
  }
}

void Updater::begin(const link::ReleaseOffer& offer, const release::Manifest& manifest) {
  const fs::path part = part_file(manifest.artefact_hash);
  incoming_ = Incoming{offer, manifest, 0};
  remove_other_parts(part);
  if (manifest.artefact_hash == hash_) {  // a rollback to what is here already
    core::write_file(part, core::read_file(folder_ / "current" / "model.onnx"));
  }
  incoming_->received = size_of(part);
  if (incoming_->received > manifest.artefact_bytes) {
    remove_quietly(part);
    incoming_->received = 0;
  }
  if (!wanted()) {
    install();
  }
}

void Updater::chunk(const link::Chunk& chunk) {
  if (!incoming_ || chunk.artefact_hash != incoming_->manifest.artefact_hash ||
      chunk.offset != incoming_->received || chunk.data.empty()) {
    return;
  }
  attempt([&] {
    const auto size = static_cast<int64_t>(chunk.data.size());
    if (size > incoming_->manifest.artefact_bytes - incoming_->received) {
      throw core::Error(core::ErrorKind::Refused,
                        "release refused: the artefact is longer than its manifest says");
    }
    write_at(part_file(chunk.artefact_hash), incoming_->received, chunk.data);
    incoming_->received += size;
    if (!wanted()) {
      install();
    }
  });
}

std::optional<link::ChunkRequest> Updater::wanted() const {
  if (!incoming_ || incoming_->received >= incoming_->manifest.artefact_bytes) {
    return std::nullopt;
  }
  return link::ChunkRequest{
      incoming_->manifest.artefact_hash,
      incoming_->received,
      std::min(kChunkBytes, incoming_->manifest.artefact_bytes - incoming_->received)};
}

std::optional<Updater::Refusal> Updater::take_refusal() {
  return std::exchange(refusal_, std::nullopt);
}

void Updater::install() {
  const fs::path part = part_file(incoming_->manifest.artefact_hash);
  release::Release whole{
      incoming_->offer.manifest, incoming_->offer.signature, core::read_file(part)};
  const auto manifest = release::verify(whole, public_key_, floor_, clock_.now());
  const auto put_in_service = prepare_(whole.artefact);
  release::write_release(whole, folder_ / "current");
  put_in_service();
  adopt(manifest, std::move(whole.manifest));
  incoming_.reset();
  remove_quietly(part);
}

/// Whatever fails (the disk, the model, memory), the agent goes on with the release it has.
void Updater::attempt(const std::function<void()>& step) {
  try {
    step();
  } catch (const std::exception& error) {
    refusal_ = {incoming_->manifest.counter, error.what()};
    remove_quietly(part_file(incoming_->manifest.artefact_hash));
    incoming_.reset();
  }
}

void Updater::adopt(const release::Manifest& manifest, core::Bytes bytes) {
  counter_ = manifest.counter;
  floor_ = manifest.counter;
  hash_ = manifest.artefact_hash;
  installed_manifest_ = std::move(bytes);
}

fs::path Updater::part_file(const std::string& hash) const {
  return folder_ / "incoming" / (hash + ".part");
}

}  // namespace coppice::edge

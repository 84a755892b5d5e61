#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace coppice::jobs {

/// runs/<name>-<time>-<hash>/: config.yaml, metrics.jsonl, summary.json, model.onnx, report.html,
/// log.txt, provenance.json.
class RunDirectory {
 public:
  /// Makes a new one under `root`; `config` is the resolved YAML. Throws Error{Io}.
  static RunDirectory create(const std::filesystem::path& root,
                             const std::string& name,
                             const std::string& config);
  /// Uses exactly this folder (made when absent; an existing one must hold the same config.yaml or
  /// be empty). Throws Error{Refused} when it holds another run.
  static RunDirectory open(const std::filesystem::path& folder, const std::string& config);
  /// The newest unfinished one under `root` with the same name and config.
  static std::optional<RunDirectory> find_unfinished(const std::filesystem::path& root,
                                                     const std::string& name,
                                                     const std::string& config);

  const std::filesystem::path& path() const { return path_; }

  bool finished() const;  ///< summary.json is there
  /// provenance.json: version, git commit, seed, host, library versions, and these.
  void write_provenance(const std::map<std::string, std::string>& more) const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

}  // namespace coppice::jobs

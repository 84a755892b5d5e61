#pragma once

#include <functional>

#include <nlohmann/json.hpp>

#include "coppice/model_export.h"
#include "core/registry.h"
#include "graph/graph.h"

namespace coppice::tools {

/// Writes a model's files and tells of them: names, sizes.
using FileWriter =
    std::function<nlohmann::ordered_json(const graph::Model&, const ModelExportOptions&)>;

/// By format.
const core::Registry<FileWriter>& file_writers();

}  // namespace coppice::tools

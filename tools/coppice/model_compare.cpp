#include "coppice/model_compare.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "coppice/model_bench.h"
#include "report/chart.h"
#include "report/html.h"

namespace coppice::tools {

namespace {

using Json = nlohmann::ordered_json;
using Cells = std::vector<std::string>;
using Rows = std::vector<Cells>;

struct LayerGrid {
  Cells header;
  Rows rows;
};

/// Names of layers in the order of the first model, those that only others have behind the layer
/// that they follow there.
Cells names_of(const std::vector<ModelFacts>& models) {
  Cells names;
  for (const ModelFacts& model : models) {
    size_t at = 0;
    for (const LayerFacts& layer : model.layers) {
      const auto found = std::find(names.begin(), names.end(), layer.name);
      if (found == names.end()) {
        names.insert(names.begin() + static_cast<std::ptrdiff_t>(at), layer.name);
        ++at;
      } else {
        at = static_cast<size_t>(found - names.begin()) + 1;
      }
    }
  }
  return names;
}

std::string shape_text(const graph::Shape& shape) {
  std::string text;
  for (size_t i = 1; i < shape.size(); ++i) {
    text += (i == 1 ? "" : "x") + std::to_string(shape[i]);
  }
  return text;
}

const LayerFacts* find_layer(const ModelFacts& model, const std::string& name) {
  const auto it = std::find_if(model.layers.begin(), model.layers.end(), [&](const auto& layer) {
    return layer.name == name;
  });
  return it == model.layers.end() ? nullptr : &*it;
}

std::string count(int64_t value) {
  return value == 0 ? "–" : std::to_string(value);
}

std::string micros(double value) {
  return fmt::format("{:.2f}", value);
}

/// One group of columns per figure, in it one column per model: what changed stands side by side.
template <class Cell>
void add_figure(LayerGrid& grid,
                const std::vector<ModelFacts>& models,
                const std::string& title,
                const Cells& names,
                const Cell& cell,
                const Cells& totals) {
  for (size_t m = 0; m < models.size(); ++m) {
    grid.header.push_back(
        models.size() == 1 ? title : fmt::format("{} {}", title, static_cast<char>('A' + m)));
    for (size_t i = 0; i < names.size(); ++i) {
      const LayerFacts* layer = find_layer(models[m], names[i]);
      grid.rows[i].push_back(layer == nullptr ? "–" : cell(*layer));
    }
    grid.rows.back().push_back(totals[m]);
  }
}

Cells each(const std::vector<ModelFacts>& models, std::string (*text)(const ModelFacts&)) {
  Cells cells;
  for (const ModelFacts& model : models) {
    cells.push_back(text(model));
  }
  return cells;
}

LayerGrid grid_of(const std::vector<ModelFacts>& models) {
  const Cells names = names_of(models);
  LayerGrid grid{{"layer", "op"}, {}};
  for (const std::string& name : names) {
    std::string op;
    for (const ModelFacts& model : models) {
      const LayerFacts* layer = find_layer(model, name);
      op = layer != nullptr && op.empty() ? layer->op : op;
    }
    grid.rows.push_back({name, op});
  }
  grid.rows.push_back({"all", ""});
  const bool single = models.size() == 1;
  add_figure(
      grid,
      models,
      single ? "output" : "channels",
      names,
      [&](const LayerFacts& l) { return single ? shape_text(l.shape) : count(l.channels); },
      each(models, [](const ModelFacts&) { return std::string(); }));
  add_figure(
      grid,
      models,
      "MACs",
      names,
      [](const LayerFacts& l) { return count(l.macs); },
      each(models, [](const ModelFacts& m) { return count(m.macs); }));
  if (single) {
    add_figure(
        grid,
        models,
        "parameters",
        names,
        [](const LayerFacts& l) { return count(l.parameters); },
        each(models, [](const ModelFacts& m) { return count(m.parameters); }));
  }
  add_figure(
      grid,
      models,
      "bytes",
      names,
      [](const LayerFacts& l) { return count(l.bytes); },
      each(models, [](const ModelFacts& m) { return count(m.weight_bytes); }));
  add_figure(
      grid,
      models,
      "µs",
      names,
      [](const LayerFacts& l) { return l.measured ? micros(l.latency_us) : std::string("–"); },
      each(models, [](const ModelFacts& m) { return micros(m.latency.median_us); }));
  return grid;
}

/// The models as wholes, each against the first.
LayerGrid totals_of(const std::vector<ModelFacts>& models) {
  LayerGrid grid{
      {"", "model", "MACs", "fewer", "parameters", "file bytes", "smaller", "µs", "faster"}, {}};
  const bool judged = models.front().accuracy.has_value();
  if (judged) {
    grid.header.insert(grid.header.end(), {"accuracy", "points"});
  }
  const ModelFacts& first = models.front();
  const auto ratio = [](double a, double b) {
    return b > 0 ? fmt::format("{:.2f}", a / b) : "–";
  };
  for (size_t m = 0; m < models.size(); ++m) {
    const ModelFacts& model = models[m];
    Cells row{models.size() == 1 ? std::string() : std::string(1, static_cast<char>('A' + m)),
              model.source,
              count(model.macs),
              ratio(static_cast<double>(first.macs), static_cast<double>(model.macs)),
              count(model.parameters),
              count(model.file_bytes),
              ratio(static_cast<double>(first.file_bytes), static_cast<double>(model.file_bytes)),
              micros(model.latency.median_us),
              ratio(first.latency.median_us, model.latency.median_us)};
    if (judged) {
      row.push_back(fmt::format("{:.2f} %", 100 * *model.accuracy));
      row.push_back(fmt::format("{:+.2f}", 100 * (*model.accuracy - *first.accuracy)));
    }
    grid.rows.push_back(std::move(row));
  }
  return grid;
}

Json json_of(const ModelFacts& model) {
  Json layers = Json::array();
  for (const LayerFacts& layer : model.layers) {
    Json one = {{"name", layer.name},
                {"op", layer.op},
                {"shape", graph::Shape(layer.shape.begin() + 1, layer.shape.end())},
                {"channels", layer.channels},
                {"macs", layer.macs},
                {"parameters", layer.parameters},
                {"bytes", layer.bytes}};
    if (layer.measured) {
      one["latency_us"] = layer.latency_us;
    }
    layers.push_back(std::move(one));
  }
  Json json = {{"model", model.source},
               {"name", model.name},
               {"macs", model.macs},
               {"parameters", model.parameters},
               {"weight_bytes", model.weight_bytes},
               {"activation_bytes", model.activation_bytes},
               {"file_bytes", model.file_bytes},
               {"backend", model.backend},
               {"latency_us", model.latency.median_us}};
  if (model.accuracy) {
    json["accuracy"] = *model.accuracy;
    json["samples"] = model.samples;
  }
  json["layers"] = std::move(layers);
  return json;
}

void write_page(const std::vector<ModelFacts>& models, const std::filesystem::path& file) {
  report::HtmlReport page(models.size() == 1 ? "Model: " + models.front().source
                                             : "Models side by side");
  const LayerGrid totals = totals_of(models);
  page.section("Models").table(totals.header, totals.rows);
  const Cells names = names_of(models);
  page.section("Layers");
  for (const auto& [title, value] : {std::pair<std::string, double (*)(const LayerFacts&)>{
                                         "multiply-accumulates, thousands",
                                         [](const LayerFacts& l) {
                                           return static_cast<double>(l.macs) / 1e3;
                                         }},
                                     {"bytes of weights, KB",
                                      [](const LayerFacts& l) {
                                        return static_cast<double>(l.bytes) / 1e3;
                                      }},
                                     {"latency, µs", [](const LayerFacts& l) {
                                        return l.latency_us;
                                      }}}) {
    std::vector<report::Series> lines;
    for (const ModelFacts& model : models) {
      report::Series line{model.source, {}, {}};
      for (size_t i = 0; i < names.size(); ++i) {
        const LayerFacts* layer = find_layer(model, names[i]);
        line.x.push_back(static_cast<double>(i + 1));
        line.y.push_back(layer == nullptr ? 0 : value(*layer));
      }
      lines.push_back(std::move(line));
    }
    report::ChartOptions chart;
    chart.title = "By layer: " + title;
    chart.x_label = "layer, first to last";
    chart.y_label = title;
    chart.y_from_zero = true;
    chart.height = 260;
    page.svg(report::line_chart(lines, chart));
  }
  const LayerGrid grid = grid_of(models);
  page.table(grid.header, grid.rows);
  page.section("Steps of the device engine");
  for (const ModelFacts& model : models) {
    page.svg(step_picture(model.steps, model.source + " on " + model.backend));
  }
  page.write(file);
}

}  // namespace

std::string layer_table(const std::vector<ModelFacts>& models) {
  const LayerGrid grid = grid_of(models);
  return report::text_table(grid.header, grid.rows);
}

void compare_models(const ModelCompareOptions& options) {
  const std::vector<ModelFacts> models = measure_facts(options.facts);
  if (!options.html.empty()) {
    write_page(models, options.html);
  }
  if (options.json) {
    Json all = Json::array();
    for (const ModelFacts& model : models) {
      all.push_back(json_of(model));
    }
    fmt::print("{}\n", Json{{"models", std::move(all)}}.dump(2));
    return;
  }
  const LayerGrid totals = totals_of(models);
  fmt::print("{}\n{}", layer_table(models), report::text_table(totals.header, totals.rows));
  if (!options.html.empty()) {
    fmt::print("\npage: {}\n", options.html.string());
  }
}

}  // namespace coppice::tools

#include "train/train_report.h"

#include "report/figure.h"
#include "report/html.h"
#include "report/learning_curves.h"
#include "train/judgement_page.h"

namespace coppice::train {

namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

Facts facts_of(const std::map<std::string, double>& figures, const Judgement* judgement) {
  Facts facts;
  const auto add = [&](const char* name) {
    if (const auto found = figures.find(name); found != figures.end()) {
      facts.emplace_back(name, report::format_figure(name, found->second));
    }
  };
  if (judgement != nullptr) {
    facts = judgement_facts(*judgement);
  } else {
    add("accuracy");
    add("loss");
  }
  for (const char* name : {"epochs", "parameters", "macs", "seconds"}) {
    add(name);
  }
  return facts;
}

}  // namespace

void write_train_report(const std::filesystem::path& file,
                        const jobs::JobSpec& spec,
                        const graph::Model& model,
                        const std::vector<report::MetricsRow>& rows,
                        const std::map<std::string, double>& figures,
                        const Judgement* judgement) {
  report::HtmlReport page("Training: " + spec.name);
  page.facts(facts_of(figures, judgement)).section("Learning curves");
  for (const std::string& chart : report::learning_curves(rows)) {
    page.svg(chart);
  }
  if (judgement != nullptr) {
    add_judgement(page, *judgement, "validation data");
  }
  page.section("Network")
      .details("layers", graph::summary(model))
      .section("Job")
      .details("job.yaml", jobs::to_yaml(spec))
      .write(file);
}

}  // namespace coppice::train

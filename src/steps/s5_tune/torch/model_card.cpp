#include "steps/s5_tune/torch/model_card.hpp"

#include <algorithm>
#include <format>

#include "base/clock.hpp"
#include "base/figures.hpp"

namespace understudy::s5 {

namespace {

std::string_view to_string(Method method) {
  switch (method) {
    case Method::lora: return "lora";
    case Method::dora: return "dora";
    case Method::full: return "full";
  }
  return "lora";
}

json::array targets_of(const Adapter* adapter) {
  json::array targets;
  if (adapter == nullptr) return targets;
  for (const AdapterModule& module : adapter->modules()) {
    if (std::ranges::find(targets, json::value(module.linear.gguf)) == targets.end()) {
      targets.emplace_back(module.linear.gguf);
    }
  }
  return targets;
}

json::value teacher_of(const LoraOptions& options, const LoraReport& report) {
  if (options.teacher.file.empty() && report.soft_tokens == 0) return nullptr;
  return json::object{{"file", options.teacher.file.filename().string()},
                      {"share", options.teacher.share},
                      {"temperature", options.teacher.temperature},
                      {"recorded_tokens", report.soft_tokens}};
}

std::string number(double value) { return std::format("{:.4g}", value); }

// A name from somebody's file, within a line.
std::string plain(std::string text) {
  for (char& c : text) {
    const bool writes = c == '<' || c == '>' || c == '`' || c == '|' || c == '[' || c == ']';
    if (writes || static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

double figure(const json::value& metrics, const char* key) {
  return json::find_number(metrics, key).value_or(0);
}

// A row for each figure: its name, before and after.
std::string figures_text(const json::value& metrics) {
  std::string text = "| on held-out examples of the same data | base | tuned |\n|---|---|---|\n";
  const auto add = [&](const char* name, const std::string& before, const std::string& after) {
    text += std::format("| {} | {} | {} |\n", name, before, after);
  };
  add("loss, nats a token", number(figure(metrics, "validation_loss_before")),
      number(figure(metrics, "validation_loss")));
  add("answers with every token right", "", percent(figure(metrics, "validation_exact")));
  const json::value* before = json::find(metrics, "served_before");
  const json::value* after = json::find(metrics, "served");
  if (before == nullptr || after == nullptr || !before->is_object() || !after->is_object()) {
    return text;
  }
  const auto agreed = [](const json::value& served) {
    return std::format("{:.0f} of {:.0f}", figure(served, "agreed"), figure(served, "answers"));
  };
  add("answers that agree, through llama-server", agreed(*before), agreed(*after));
  add("perplexity, through llama-server", number(figure(*before, "perplexity")),
      number(figure(*after, "perplexity")));
  return text;
}

}  // namespace

void sign_card(json::object& card) {
  card["made_by"] = "understudy-train " UNDERSTUDY_VERSION;
  card["made_at"] = to_iso8601(now());
}

json::object model_card(const CardSources& from) {
  const LoraOptions& options = from.options;
  json::object card{
      {"kind", to_string(options.method)},
      {"base", options.base.filename().string()},
      {"base_name", from.model.base.find_string("general.name").value_or("")},
      {"base_hash", from.base_hash},
      {"architecture", from.model.plan.architecture},
      {"data", json::object{{"training", from.data.train.size()},
                            {"validation", from.data.validation.size()},
                            {"left_out", from.data.left_out},
                            {"hash", from.data.fingerprint}}},
      {"teacher", teacher_of(options, from.report)},
      {"peft", from.model.adapter != nullptr && !from.model.plan.multiplied_in_hf},
      {"rank", options.adapter.rank},
      {"alpha", options.adapter.alpha},
      {"rank_scale", options.adapter.rank_scale == RankScale::by_root ? "root" : "rank"},
      {"dropout", options.adapter.dropout},
      {"targets", targets_of(from.model.adapter)},
      {"seed", options.adapter.seed},
      {"computed_in", from.computing.type == at::kBFloat16 ? "bf16" : "f32"},
      {"device", c10::DeviceTypeName(from.computing.device.type(), true)},
      {"learning_rate", options.learning_rate},
      {"batch_tokens", options.batch_tokens},
      {"accumulation", options.accumulation},
      {"epochs", options.epochs},
      {"metrics", to_json(from.report)}};
  sign_card(card);
  return card;
}

std::string card_text(const json::object& card) {
  const json::value all(card);
  const auto text = [&](const char* key) { return plain(json::string_or(all, key)); };
  const auto whole = [](const json::value& tree, const char* key) {
    return json::find_integer(tree, key).value_or(0);
  };
  const json::value& data = card.at("data");
  std::string lines = std::format(
      "---\nlibrary_name: peft\npipeline_tag: text-generation\ntags: [{0}, understudy]\n---\n\n"
      "# An adapter ({0}) for {1}\n\n"
      "Made by {2} at {3} on `{4}` (XXH3 {5}), an architecture of the family {6}.\n\n"
      "## Data\n\n{7} examples to learn from, {8} held out, {9} left out as too long.\n",
      text("kind"), text("base_name").empty() ? text("base") : text("base_name"), text("made_by"),
      text("made_at"), text("base"), text("base_hash"), text("architecture"),
      whole(data, "training"), whole(data, "validation"), whole(data, "left_out"));
  if (const json::value& teacher = card.at("teacher"); teacher.is_object()) {
    lines += std::format("A teacher's opinions of the tokens counted for {} of the loss.\n",
                         percent(figure(teacher, "share")));
  }
  lines += std::format(
      "\n## Method\n\nRank {}, alpha {}, scaled by the {}, dropout {}, on {}; computed in {}.\n\n"
      "## Figures\n\n{}\n"
      "They were measured on examples of the task that it was trained for, and say nothing of "
      "others.\n",
      whole(all, "rank"), number(figure(all, "alpha")), text("rank_scale"),
      number(figure(all, "dropout")), json::to_text(card.at("targets")), text("computed_in"),
      figures_text(card.at("metrics")));
  const json::array* warnings = json::find_array(card.at("metrics"), "warnings");
  if (warnings == nullptr || warnings->empty()) return lines;
  lines += "\n## To serve it\n\n";
  for (const json::value& warning : *warnings) {
    lines += "* " + plain(std::string(warning.as_string())) + "\n";
  }
  return lines;
}

}  // namespace understudy::s5

// What is to be known of a trained model by who meets its files later: data, method, figures and
// lineage. card.json for programs; README.md in the peft directory for people and model hubs.
#pragma once

#include <string>

#include "base/json.hpp"
#include "steps/s5_tune/torch/computing.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/lora_trainer.hpp"
#include "steps/s5_tune/torch/merged_export.hpp"

namespace understudy::s5 {

struct CardSources {
  const LoraReport& report;
  const TunedModel& model;
  const LoraOptions& options;
  const Computing& computing;
  const LoraData& data;
  const std::string& base_hash;
};

json::object model_card(const CardSources& from);
// Which program made it, and when.
void sign_card(json::object& card);

// The card of an adapter as Markdown, with the head that model hubs read.
std::string card_text(const json::object& card);

}  // namespace understudy::s5

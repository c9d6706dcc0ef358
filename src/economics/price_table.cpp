#include "economics/price_table.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <format>
#include <iterator>
#include <toml++/toml.hpp>

#include "base/check.hpp"
#include "base/files.hpp"
#include "economics/built_in_prices.hpp"

namespace understudy::economics {

namespace {

std::unexpected<Error> bad_entry(std::string_view name, const toml::node& node,
                                 std::string_view why) {
  return fail(ErrorCode::invalid_input,
              std::format("{}:{}: {}", name, node.source().begin.line, why),
              "an entry looks like: [[price]] model = \"gpt-4o\", input_usd_per_million = 2.5, "
              "output_usd_per_million = 10, as_of = \"2024-10-01\"");
}

bool is_amount(std::optional<double> amount) {
  return amount && std::isfinite(*amount) && *amount >= 0;
}

Result<Price> parse_price(const toml::node& node, std::string_view name) {
  const toml::table* entry = node.as_table();
  if (entry == nullptr) return bad_entry(name, node, "a price is a table");
  const auto model = (*entry)["model"].value<std::string>();
  if (!model || model->empty()) return bad_entry(name, node, "a price without a model");
  const auto input = (*entry)["input_usd_per_million"].value<double>();
  const auto output = (*entry)["output_usd_per_million"].value<double>();
  if (!is_amount(input) || !is_amount(output))
    return bad_entry(name, node, "the price of " + *model + " lacks an amount of dollars");
  return Price{.model = *model,
               .input_usd_per_million = *input,
               .output_usd_per_million = *output,
               .as_of = (*entry)["as_of"].value_or(std::string()),
               .source = (*entry)["source"].value_or(std::string())};
}

// "-2024-08-06", "-0613", "@20240620", "-latest": the same model, a certain version of it.
bool is_version_suffix(std::string_view suffix) {
  if (suffix.size() < 2 || (suffix.front() != '-' && suffix.front() != '@')) return false;
  const std::string_view version = suffix.substr(1);
  const auto is_date_part = [](unsigned char c) { return std::isdigit(c) != 0 || c == '-'; };
  return version == "latest" || (version.size() >= 4 && std::ranges::all_of(version, is_date_part));
}

}  // namespace

PriceTable PriceTable::built_in() {
  auto table = parse(built_in_prices(), "built-in prices");
  CHECK(table.has_value(), "the built-in prices are in order");
  return std::move(*table);
}

Result<PriceTable> PriceTable::load(const std::filesystem::path& file) {
  PriceTable defaults = built_in();
  auto text = read_file(file);
  if (!text && text.error().code == ErrorCode::not_found) return defaults;
  if (!text) return fail(std::move(text).error());
  PriceTable table = TRY(parse(*text, file.string()));
  std::ranges::move(defaults.prices_, std::back_inserter(table.prices_));
  return table;
}

Result<PriceTable> PriceTable::parse(std::string_view toml, std::string_view name) {
  PriceTable table;
  try {
    const toml::table tree = toml::parse(toml, name);
    if (const toml::array* entries = tree["price"].as_array()) {
      for (const toml::node& node : *entries) table.prices_.push_back(TRY(parse_price(node, name)));
    }
    if (const auto machine = tree["machine"]["usd_per_hour"]) {
      const auto amount = machine.value<double>();
      if (!is_amount(amount)) return bad_entry(name, *machine.node(), "usd_per_hour is no amount");
      table.machine_usd_per_hour_ = *amount;
    }
    if (const auto cheaper = tree["cheaper"]["model"]) {
      const auto model = cheaper.value<std::string>();
      if (!model || model->empty())
        return bad_entry(name, *cheaper.node(), "[cheaper] model is no name of a model");
      table.cheaper_model_ = *model;
    }
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input,
                std::format("{}:{}: {}", name, error.source().begin.line, error.description()),
                "prices are written in TOML; see economics/price_table.hpp for an example");
  }
  return table;
}

std::optional<Price> PriceTable::find(std::string_view model) const {
  if (const auto slash = model.rfind('/'); slash != std::string_view::npos)
    model.remove_prefix(slash + 1);
  for (const Price& price : prices_) {
    if (price.model == model) return price;
  }
  for (const Price& price : prices_) {
    if (model.starts_with(price.model) && is_version_suffix(model.substr(price.model.size())))
      return price;
  }
  const Price* longest = nullptr;
  for (const Price& price : prices_) {
    const std::string_view pattern = price.model;
    if (!pattern.ends_with('*') || !model.starts_with(pattern.substr(0, pattern.size() - 1)))
      continue;
    if (longest == nullptr || longest->model.size() < pattern.size()) longest = &price;
  }
  return longest == nullptr ? std::nullopt : std::optional(*longest);
}

}  // namespace understudy::economics

#include "live/admin/key_request.hpp"

#include <array>
#include <cmath>
#include <optional>

#include "adapters/store/access_changes.hpp"
#include "base/limits.hpp"

namespace understudy::live {

namespace {

constexpr std::size_t models_max = 256;

std::unexpected<Error> wants(std::string_view member, std::string_view what) {
  return fail(ErrorCode::invalid_input, std::string(member) + " wants " + std::string(what));
}

Result<std::string> text_of(std::string_view member, const json::value& value) {
  if (!value.is_string() || value.get_string().size() > limits::metric_label_bytes_max)
    return wants(member, "a short text");
  return std::string(value.get_string());
}

Result<std::int64_t> rate_of(std::string_view member, const json::value& value) {
  if (!value.is_int64() || value.get_int64() < 0 ||
      value.get_int64() > limits::limit_per_minute_max)
    return wants(member, "a whole number, 0 or more");
  return value.get_int64();
}

Result<double> amount_of(std::string_view member, const json::value& value) {
  const double amount = value.is_number() ? value.to_number<double>() : -1;
  if (!std::isfinite(amount) || amount < 0 || amount > limits::limit_usd_max)
    return wants(member, "an amount of dollars, 0 or more");
  return amount;
}

Result<std::vector<std::string>> models_of(std::string_view member, const json::value& value) {
  if (!value.is_array() || value.get_array().empty() || value.get_array().size() > models_max)
    return wants(member, "a list of models; leave it out for all");
  std::vector<std::string> models;
  for (const json::value& model : value.get_array()) models.push_back(TRY(text_of(member, model)));
  return models;
}

Status read_member(std::string_view member, const json::value& value, VirtualKey& key) {
  if (member == "name") {
    key.name = TRY(text_of(member, value));
  } else if (member == "tenant") {
    key.tenant = TRY(text_of(member, value));
  } else if (member == "models") {
    key.limits.models = TRY(models_of(member, value));
  } else if (member == "requests_per_minute") {
    key.limits.requests_per_minute = TRY(rate_of(member, value));
  } else if (member == "tokens_per_minute") {
    key.limits.tokens_per_minute = TRY(rate_of(member, value));
  } else if (member == "usd_per_day") {
    key.limits.usd_per_day = TRY(amount_of(member, value));
  } else if (member == "usd_per_month") {
    key.limits.usd_per_month = TRY(amount_of(member, value));
  } else if (member == "budget_usd") {
    key.limits.budget_usd = TRY(amount_of(member, value));
  } else if (member == "expires_at") {
    key.expires_at = TRY(store::parse_expiry(TRY(text_of(member, value))));
  } else if (member == "human_facing") {
    if (!value.is_bool()) return wants(member, "true or false");
    key.human_facing = value.get_bool();
  } else {
    return fail(ErrorCode::invalid_input,
                "there is no member \"" + std::string(member.substr(0, 40)) + "\"");
  }
  return {};
}

}  // namespace

Result<VirtualKey> parse_key_request(std::string_view body) {
  const json::value tree = TRY(json::parse(body));
  if (!tree.is_object()) return fail(ErrorCode::invalid_input, "the body is no JSON object");
  VirtualKey key;
  for (const auto& member : tree.get_object()) TRY(read_member(member.key(), member.value(), key));
  TRY(check_access_name(key.name));
  return key;
}

}  // namespace understudy::live

#include "steps/s2_curate/examine_call.hpp"

#include <cstring>
#include <format>

#include "adapters/text/hashing.hpp"
#include "adapters/wire/chat.hpp"
#include "steps/s2_curate/chat_call.hpp"
#include "steps/s2_curate/detect/utf8.hpp"
#include "steps/s2_curate/duplicates/canonical_call.hpp"

namespace understudy::s2 {

namespace {

std::uint64_t first_half(std::string_view hash) {
  std::uint64_t half = 0;
  std::memcpy(&half, hash.data(), std::min(hash.size(), sizeof half));
  return half;
}

std::uint64_t session_hash(const Call& call) {
  if (call.session.empty()) return 0;
  return text::hash64(call.session.value, text::hash64(call.origin.tenant)) | 1U;
}

// Of the types that were to be paraphrased.
void keep(TypeBits types, Actions& actions) {
  for (const EntityType type : paraphrase_types) {
    if (varies(types, type)) actions[static_cast<std::size_t>(type)] = Action::keep;
  }
}

}  // namespace

std::uint64_t hash_of_id(const CallId& id) { return text::hash64(id.value); }

std::uint32_t Treatments::task_of(const Call& call) const {
  const auto found = tasks_.of_call.find(hash_of_id(call.id));
  return found == tasks_.of_call.end() ? 0 : found->second;
}

Treatment Treatments::of(const Call& call) const {
  constexpr unsigned bits_of_types = 8;
  Treatment treatment{.actions = settings_.actions};
  if (settings_.scope == SurrogateScope::tenant && !call.origin.tenant.empty())
    treatment.scope = text::hash64(call.origin.tenant);
  const std::uint32_t task = task_of(call);
  if (task == 0) {  // nobody can say what its answers turn on
    keep(paraphrased(treatment.actions), treatment.actions);
    return treatment;
  }
  if (const auto own = settings_.task_actions.find(tasks_.names[task - 1]);
      own != settings_.task_actions.end()) {
    treatment.actions = own->second;
    treatment.actions_id = std::uint64_t{task} << bits_of_types;
  }
  return treatment;
}

Treatment Treatments::of(const Call& call, TypeBits varied, const FixedNumbers& fixed,
                         const SecretText& key) const {
  Treatment treatment = of(call);
  const TypeBits wanted = paraphrased(treatment.actions);
  if (wanted == 0) return treatment;
  const std::uint32_t task = task_of(call);
  if (varies(varied, EntityType::plain_number)) {
    treatment.numbers = NumberVariation{
        .factor_e4 = draw_factor_e4(key, std::format("{:x}/{}/{}", treatment.scope,
                                                     tasks_.names[task - 1], call.session.value)),
        .fixed = &fixed};
  }
  keep(static_cast<TypeBits>(wanted & ~varied), treatment.actions);
  treatment.actions_id = text::hash64({reinterpret_cast<const char*>(&varied), sizeof varied},
                                      treatment.actions_id + 1);
  return treatment;
}

bool repair_bodies(Call& call) {
  bool repaired = false;
  for (SecretText* body : {&call.request, &call.response}) {
    if (auto better = repair_utf8(body->reveal())) {
      *body = SecretText(std::move(*better));
      repaired = true;
    }
  }
  return repaired;
}

Examined examine(Call& call, const Treatments& treatments, const FilterOptions& filters,
                 TextScanner& scanner, EntityTable& table) {
  Examined examined{.reason = reason_to_drop(call, filters), .call = hash_of_id(call.id)};
  const auto dropped = [&](DropReason reason) {
    examined.reason = reason;
    return std::move(examined);
  };
  if (call.content != ContentState::whole) return dropped(DropReason::erased);
  if (examined.reason != DropReason::none) return examined;
  if (!to_chat_form(call)) return dropped(DropReason::unparsable);
  const auto request = json::parse(call.request.reveal());
  const auto response = json::parse(call.response.reveal());
  if (!request || !response || !wire::parse_chat_request(*request))
    return dropped(DropReason::unparsable);
  const auto answer = wire::parse_answer(*response);
  if (!answer) return dropped(DropReason::no_answer);
  if (const DropReason reason = reason_to_drop(*request, *answer, filters);
      reason != DropReason::none)
    return dropped(reason);

  const Treatment treatment = treatments.of(call);
  EntityTable own;
  if (!collect_entities(scanner, call.request.reveal(), treatment, own) ||
      !collect_entities(scanner, call.response.reveal(), treatment, own))
    return dropped(DropReason::pii_dropped);
  merge_into(table, own);
  const std::string request_part = request_hash(*request);
  const std::string pair = request_part + answer_hash(*answer);
  examined.session = session_hash(call);
  examined.request = first_half(request_part);
  // Equal calls of two tenants are two: neither stands for the other with its surrogates.
  examined.pair[0] = text::hash64(pair, treatment.scope);
  examined.pair[1] = text::hash64(pair, treatment.scope + 1);
  examined.task = treatments.task_of(call);
  if (const TypeBits wanted = paraphrased(treatment.actions)) {
    examined.paraphrase =
        paraphrase_facts(wanted, scanner, call.request.reveal(), call.response.reveal());
  }
  examined.shingles = shingles_of(new_text(*request, *answer));
  return examined;
}

}  // namespace understudy::s2

#include "steps/s2_curate/second_look.hpp"

#include <string>
#include <utility>

#include "adapters/wire/chat.hpp"
#include "quality/valid_answer.hpp"
#include "steps/s2_curate/chat_call.hpp"

namespace understudy::s2 {

namespace {

// The arguments of the answer's tool calls must still be what the tools take.
bool still_fits_tools(const json::value& request, const std::string& response_body) {
  const auto response = json::parse(response_body);
  if (!response) return false;
  const auto answer = wire::parse_answer(*response);
  return answer && quality::fits_tools(*answer, quality::answer_shape(request));
}

struct Writing {
  DropReason reason = DropReason::none;
  PseudonymWriter::Rewritten bodies;
};

Writing write_anew(const Call& call, const Treatment& treatment, PseudonymWriter& writer) {
  auto written = writer.rewrite(call.request.reveal(), call.response.reveal(), treatment);
  if (!written || !written->clean) return {.reason = DropReason::pii_left, .bodies = {}};
  if (written->response.contains("\"tool_calls\"") && !written->replaced.empty()) {
    const auto tree = json::parse(written->request);
    if (!tree || !still_fits_tools(*tree, written->response))
      return {.reason = DropReason::surrogate_broke_schema, .bodies = {}};
  }
  return {.bodies = std::move(*written)};
}

// With other numbers where the answer still follows from the prompt then, else with its own.
Writing write_varied(const Call& call, Treatment treatment, PseudonymWriter& writer,
                     SecondLook& look) {
  if (treatment.numbers) {
    Writing writing = write_anew(call, treatment, writer);
    if (writing.reason == DropReason::none && writing.bodies.numbers == NumbersOutcome::varied)
      return writing;
    look.varied &= static_cast<TypeBits>(~bits_of(EntityType::plain_number));
    look.numbers_kept = to_string(writing.reason == DropReason::none ? writing.bodies.numbers
                                                                     : NumbersOutcome::unfit);
    treatment.numbers.reset();
  }
  return write_anew(call, treatment, writer);
}

SecondLook to_example(Call& call, const PlannedCall& planned, const Treatment& treatment,
                      TypeBits wanted, TypeBits varied, PseudonymWriter& writer) {
  SecondLook look{
      .example = {}, .replaced = {}, .wanted = wanted, .varied = varied, .numbers_kept = {}};
  if (call.content != ContentState::whole || !to_chat_form(call)) {
    look.reason = DropReason::erased;
    return look;
  }
  Writing writing = write_varied(call, treatment, writer, look);
  look.reason = writing.reason;
  if (look.reason != DropReason::none) return look;
  auto* written = &writing.bodies;
  look.replaced = std::move(written->replaced);
  look.example =
      Example{.call = call.id,
              .session = call.session,
              .started_at = call.started_at,
              .split = planned.split,
              .rank = planned.rank,
              .model = call.served_model.empty() ? call.requested_model : call.served_model,
              .request = SecretText(std::move(written->request)),
              .response = SecretText(std::move(written->response)),
              .usage = call.usage,
              .latency_us = call.latency_us(),
              .repeats = planned.repeats,
              .asked = planned.asked,
              .reward = call.reward};
  return look;
}

}  // namespace

SecondLook look_again(Call& call, const PlannedCall& planned, const LookContext& context,
                      PseudonymWriter& writer) {
  const auto& [treatments, paraphrase, key] = context;
  const TypeBits wanted = paraphrased(treatments.of(call).actions);
  const std::uint32_t task = wanted == 0 ? 0 : treatments.task_of(call);
  const TypeBits varied = paraphrase.allowed(task, wanted & planned.present, planned.derived);
  SecondLook look =
      to_example(call, planned, treatments.of(call, varied, paraphrase.fixed(task), key), wanted,
                 varied, writer);
  look.task = task;
  return look;
}

}  // namespace understudy::s2

#include "steps/s5_tune/torch/teacher.hpp"

#include <algorithm>

#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t tokens_compared = 256;

bool is_same(const lm::Vocabulary& a, const lm::Vocabulary& b) {
  if (a.size() != b.size()) return false;
  const std::size_t stride = std::max<std::size_t>(1, a.size() / tokens_compared);
  for (std::size_t i = 0; i < a.size(); i += stride) {
    const std::vector<lm::Token> one = {static_cast<lm::Token>(i)};
    if (a.decode(one) != b.decode(one)) return false;
  }
  return true;
}

}  // namespace

struct Teacher::State {
  State(TeacherOptions what, lm::GgufFile from, DecoderPlan network, const Computing& computing)
      : options(std::move(what)),
        file(std::move(from)),
        plan(std::move(network)),
        weights(file, computing),
        decoder(plan, weights, nullptr) {}

  TeacherOptions options;
  lm::GgufFile file;
  DecoderPlan plan;
  BaseWeights weights;
  Decoder decoder;
};

Teacher::Teacher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Teacher::~Teacher() = default;
Teacher::Teacher(Teacher&&) noexcept = default;
Teacher& Teacher::operator=(Teacher&&) noexcept = default;

Result<Teacher> Teacher::open(const TeacherOptions& options, const lm::Vocabulary& student,
                              std::int64_t text_tokens_max, const Computing& computing) {
  auto file = TRY(lm::GgufFile::open(options.file));
  auto plan = TRY(plan_of(file));
  if (text_tokens_max > plan.context) {
    return fail(ErrorCode::invalid_input,
                options.file.string() + " has a context of " + std::to_string(plan.context) +
                    " tokens, and there are examples of " + std::to_string(text_tokens_max),
                "Give --max-length " + std::to_string(plan.context) +
                    ", which leaves longer ones out, or another teacher.");
  }
  const auto vocabulary = TRY(lm::Vocabulary::load(options.file));
  if (!is_same(vocabulary, student)) {
    return fail(ErrorCode::invalid_input,
                options.file.string() + " has another vocabulary than the base",
                "A teacher's opinions can be learned by models of the same tokens only: train on "
                "its answers instead.");
  }
  return Teacher(std::make_unique<State>(options, std::move(file), std::move(plan), computing));
}

void Teacher::teach(Pack& pack) const {
  const std::int64_t top = std::min(state_->options.top, state_->plan.vocabulary);
  pack.soft = state_->decoder.likeliest(pack, top, state_->options.temperature);
  pack.soft->share = state_->options.share;
}

}  // namespace understudy::s5

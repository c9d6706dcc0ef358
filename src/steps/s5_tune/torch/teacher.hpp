// A local model whose opinions another one learns, token by token (logit distillation): a GGUF file
// with the same vocabulary. Its weights stay as they are stored. One thread.
#pragma once

#include <filesystem>
#include <memory>

#include "adapters/lm/vocabulary.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/torch/computing.hpp"
#include "steps/s5_tune/torch/pack.hpp"

namespace understudy::s5 {

struct TeacherOptions {
  std::filesystem::path file = {};  // empty: no teacher
  double share = 0.5;               // of the loss
  double temperature = 2;
  std::int64_t top = 32;  // tokens of each row
};

class Teacher {
 public:
  // invalid_input: another vocabulary than the student's, or a shorter context than the texts have.
  static Result<Teacher> open(const TeacherOptions& options, const lm::Vocabulary& student,
                              std::int64_t text_tokens_max, const Computing& computing);
  ~Teacher();
  Teacher(Teacher&&) noexcept;
  Teacher& operator=(Teacher&&) noexcept;

  void teach(Pack& pack) const;  // sets its soft targets

 private:
  struct State;
  explicit Teacher(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::s5

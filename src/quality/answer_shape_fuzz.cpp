// Any bytes as a client's request in their first line and as a small model's answer in their
// second: the request's schemas as the shape of its answers, their grammar, and the answer held to
// both.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/json.hpp"
#include "quality/answer_grammar.hpp"
#include "quality/answer_shape.hpp"
#include "quality/valid_answer.hpp"

using namespace understudy;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto request = json::parse(text.substr(0, line));
  if (!request) return 0;
  const quality::AnswerShape shape = quality::answer_shape(*request);
  const std::string said(text.substr(line + 1));
  const std::string name = shape.tools.empty() ? "t" : shape.tools.begin()->first;
  for (const AnswerForm form :
       {AnswerForm::label, AnswerForm::json, AnswerForm::tool_call, AnswerForm::text}) {
    static_cast<void>(quality::answer_grammar(form, shape));
    Answer answer{.text = form == AnswerForm::tool_call ? "" : said, .tool_calls = {}};
    if (form == AnswerForm::tool_call)
      answer.tool_calls = {{.id = "", .name = name, .arguments = said}};
    static_cast<void>(quality::is_valid(answer, {.form = form, .answer_set = {}, .shape = shape}));
  }
  return 0;
}

// The grammar of the answers that a request allows, for decoders that can be held to one: a small
// model then writes no JSON that does not parse, no tool that was not offered, no arguments that
// lack a required member. In llama.cpp's form (GBNF), over the targets that small models write
// (records/answer.hpp: tool calls with canonical arguments). Bounds of numbers, lengths and other
// fine print are left to is_valid(), which has the last word. Pure.
#pragma once

#include <string>

#include "quality/answer_shape.hpp"
#include "records/answer.hpp"

namespace understudy::quality {

// Empty where there is nothing to hold to: labels and free text are not constrained.
std::string answer_grammar(AnswerForm form, const AnswerShape& shape);

}  // namespace understudy::quality

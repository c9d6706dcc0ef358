// How alike two free texts are, as numbers between 0 and 1: figures that stand beside the
// agreement, never in its place (equal wording is the only agreement that can be proven for text).
// Checked against reference values of sacreBLEU and of Google's rouge_score (the test holds them).
// Pure; O(n) for chrF, O(words of one * words of the other) for ROUGE-L, on the first 20,000 bytes.
#pragma once

#include <string_view>

namespace understudy::quality {

// chrF (Popovic, "chrF: character n-gram F-score", WMT 2015) as sacreBLEU computes it for a
// sentence: n-grams of 1 to 6 characters without white space, beta 2.
double chrf(std::string_view reference, std::string_view hypothesis);

// ROUGE-L (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004), F1 of the longest
// common subsequence of lower-case words, without stemming. Letters beyond ASCII are letters here;
// rouge_score takes them for spaces.
double rouge_l(std::string_view reference, std::string_view hypothesis);

}  // namespace understudy::quality

// Gives calls that came after the last clustering to the tasks that there are, from the prompt
// alone. The most specific template that matches decides; among tasks that no template tells apart
// (the steps of a tool loop, topics of free text) the words of the last messages do; a prompt that
// matches none but has most template lines of a task is a new version of that task's prompt.
//
// Immutable once made, thread-safe; a call takes some microseconds and no lock.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "records/task.hpp"

namespace understudy::s3 {

struct Placement {
  std::ptrdiff_t task = -1;  // index into the tasks; -1: none of them
  double confidence = 0;     // 1: by a template of its own
};

class TaskAssigner {
 public:
  explicit TaskAssigner(const std::vector<Task>& tasks);
  // `key`: tools and response form of the request; its skeleton is not looked at.
  [[nodiscard]] Placement assign(std::string_view prompt, const StructureKey& key) const;

 private:
  // Tasks that only words tell apart, by the order of their sizes.
  struct Shape {
    std::size_t constant_bytes = 0;  // of the most specific template
    std::vector<std::uint32_t> tasks;
    // Which of `tasks` have a word in their profiles, by place, with its weight.
    std::unordered_map<std::uint32_t, std::vector<std::pair<std::uint32_t, double>>> words;
  };
  struct Group {
    std::vector<Shape> shapes;  // most constant text first
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> lines;  // tasks that have a line
  };
  [[nodiscard]] bool matches(const Shape& shape, std::string_view prompt) const;
  [[nodiscard]] Placement by_words(const Shape& shape, std::string_view prompt) const;
  [[nodiscard]] Placement by_lines(const Group& group, std::string_view prompt) const;

  std::vector<Task> tasks_;
  std::map<std::pair<std::string, std::string>, Group> groups_;
};

// Fills `profile` of the tasks that no template tells from others; `prompts[i]` are prompts of
// tasks[i].
void make_profiles(std::vector<Task>& tasks,
                   const std::vector<std::vector<std::string_view>>& prompts);

}  // namespace understudy::s3

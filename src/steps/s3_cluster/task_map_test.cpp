#include "steps/s3_cluster/task_map.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <format>
#include <string>

namespace understudy::s3 {
namespace {

double distance(const MapPlace& a, const MapPlace& b) { return std::hypot(a.x - b.x, a.y - b.y); }

struct Mapped {
  std::vector<Task> tasks{4};
  std::vector<std::string> texts;
  std::vector<std::vector<MappedCall>> calls{4};

  Mapped() {
    const char* words[] = {"refund of the flight ticket", "refund of the train ticket",
                           "def main(): return code", "a poem about autumn leaves"};
    for (int i = 0; i < 80; ++i) texts.push_back(std::format("{} {}", words[i % 4], i));
    for (std::size_t i = 0; i < texts.size(); ++i)
      calls[i % 4].push_back({.call = {std::format("c{}", i)}, .text = texts[i]});
    for (Task& task : tasks) task.statistics.share_of_calls = 0.25;
    place_on_map(tasks, calls);
  }
};

TEST(TaskMap, AlikeTasksLieNearEachOther) {
  const Mapped mapped;
  const double near = distance(mapped.tasks[0].map, mapped.tasks[1].map);
  EXPECT_LT(near, distance(mapped.tasks[0].map, mapped.tasks[2].map));
  EXPECT_LT(near, distance(mapped.tasks[1].map, mapped.tasks[3].map));
}

TEST(TaskMap, IsBoundedAndTheSameEachTime) {
  const Mapped first;
  const Mapped second;
  for (std::size_t i = 0; i < 4; ++i) {
    const MapPlace& map = first.tasks[i].map;
    EXPECT_EQ(map.x, second.tasks[i].map.x);
    EXPECT_LE(std::abs(map.x), 1.0);
    EXPECT_EQ(map.calls.size(), 20U);
    for (const MapPoint& point : map.calls) {
      EXPECT_LE(std::abs(point.x), 1.25);
      EXPECT_LE(std::hypot(point.x - map.x, point.y - map.y), 1.5 * map.radius);
    }
  }
}

TEST(TaskMap, OfNothingOrEmptyTextsIsNoProblem) {
  std::vector<Task> none;
  place_on_map(none, {});
  std::vector<Task> one(1);
  place_on_map(one, {{{.call = {"c"}, .text = ""}}});
  EXPECT_FALSE(std::isnan(one[0].map.x));
}

}  // namespace
}  // namespace understudy::s3

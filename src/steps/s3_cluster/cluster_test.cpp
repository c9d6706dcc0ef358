// The rules that make a task: synthetic agents, one rule each.
#include "steps/s3_cluster/cluster.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <format>
#include <map>
#include <random>
#include <set>
#include <string>

#include "steps/s3_cluster/call_view.hpp"
#include "steps/s3_cluster/task_ids.hpp"

namespace understudy::s3 {
namespace {

class Agents {
 public:
  std::vector<Example> examples;

  std::string words(std::size_t count) {
    static const std::vector<std::string> vocabulary = {
        "flight", "card",   "pay",  "bill",    "weather", "song",     "alarm",  "food",
        "order",  "hotel",  "when", "what",    "how",     "can",      "my",     "the",
        "please", "is",     "to",   "a",       "next",    "week",     "cancel", "change",
        "blue",   "report", "lost", "balance", "limit",   "translate"};
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
      text += (i > 0 ? " " : "") + vocabulary[random_() % vocabulary.size()];
    return text;
  }
  std::size_t below(std::size_t limit) { return random_() % limit; }

  void add(json::array messages, json::object answer, json::array tools = {}) {
    json::object request{{"model", "teacher"}, {"messages", std::move(messages)}};
    if (!tools.empty()) request["tools"] = std::move(tools);
    answer["role"] = "assistant";
    const json::object response{
        {"choices", json::array{json::object{{"message", std::move(answer)}}}}};
    Example example;
    example.call = {std::format("call-{}", examples.size())};
    example.session = {std::format("session-{}", examples.size() / 4)};
    example.request = SecretText(json::to_text(request));
    example.response = SecretText(json::to_text(response));
    example.latency_us = 800'000;
    examples.push_back(std::move(example));
  }
  void add(const std::string& system, const std::string& user, const std::string& answer) {
    json::array messages;
    if (!system.empty()) messages.push_back(message("system", system));
    messages.push_back(message("user", user));
    add(std::move(messages), {{"content", answer}});
  }
  static json::object message(std::string_view role, std::string_view content) {
    return json::object{{"role", role}, {"content", content}};
  }
  static json::object tool(std::string_view name) {
    return json::object{{"type", "function"}, {"function", json::object{{"name", name}}}};
  }
  static json::object calling(std::string_view name, const json::object& arguments) {
    return json::object{
        {"content", nullptr},
        {"tool_calls", json::array{json::object{
                           {"id", "c1"},
                           {"function", json::object{{"name", name},
                                                     {"arguments", json::to_text(arguments)}}}}}}};
  }

 private:
  std::mt19937 random_{42};
};

Clustering clustered(const Agents& agents) {
  auto made = cluster_examples(agents.examples, {});
  EXPECT_TRUE(made.has_value());
  return made.value_or(Clustering{});
}

std::size_t unassigned(const Clustering& made) {
  return static_cast<std::size_t>(std::ranges::count_if(
      made.assignments, [](const Assignment& assignment) { return assignment.task.empty(); }));
}

void add_intents(Agents& agents, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    agents.add("You detect the intent of a banking customer. Answer with the intent only.",
               agents.words(3 + agents.below(10)), std::format("intent_{}", agents.below(30)));
  }
}

TEST(Cluster, OneInstructionOverAClosedLabelSetIsOneTask) {
  Agents agents;
  add_intents(agents, 600);
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 1U);
  const Task& task = made.tasks.front();
  EXPECT_EQ(task.answer_form, AnswerForm::label);
  EXPECT_EQ(task.answer_set.size(), 30U);
  EXPECT_TRUE(task.separable);
  EXPECT_EQ(unassigned(made), 0U);
  EXPECT_EQ(task.statistics.calls, 600);
  EXPECT_GT(task.replaceability.estimate, 0.8);
  EXPECT_EQ(task.prompt_template.constants().back(), "\n");
}

TEST(Cluster, VaryingTextIntoOneJsonShapeIsOneTask) {
  Agents agents;
  for (int i = 0; i < 120; ++i) {
    const std::string vendor = agents.words(2);
    agents.add("Extract vendor and total as JSON.",
               std::format("Invoice from {}\n{}\nTotal due: {} EUR", vendor,
                           agents.words(5 + agents.below(20)), i * 7),
               std::format(R"({{"vendor":"{}","total":{}}})", vendor, i * 7));
  }
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 1U);
  EXPECT_EQ(made.tasks.front().answer_form, AnswerForm::json);
  EXPECT_EQ(unassigned(made), 0U);
}

TEST(Cluster, ASingleTurnChoiceAmongToolsIsOneTask) {
  Agents agents;
  const std::vector<std::string> names = {"get_weather", "send_mail", "book_room"};
  for (int i = 0; i < 150; ++i) {
    json::array tools;
    for (const std::string& name : names) tools.push_back(Agents::tool(name));
    const std::string city = agents.words(1) + std::to_string(i);
    json::array messages{Agents::message("system", "Call the tool that does what is asked."),
                         Agents::message("user", agents.words(4) + " " + city)};
    agents.add(std::move(messages),
               Agents::calling(names[agents.below(3)], json::object{{"where", city}}),
               std::move(tools));
  }
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 1U);
  EXPECT_EQ(made.tasks.front().answer_form, AnswerForm::tool_call);
  EXPECT_EQ(made.tasks.front().tool_names.size(), 3U);
  EXPECT_GT(made.tasks.front().replaceability.estimate, 0.5);
}

// Prompts as MetaGPT writes them: everything in the user message, code in the middle.
std::string role_prompt(Agents& agents, const std::string& role) {
  std::string code = "import pygame\n";
  for (std::size_t line = agents.below(12); line > 0; --line)
    code += "    x = " + agents.words(3) + "\n";
  return std::format(
      "NOTICE\nRole: You are a professional {0}.\nATTENTION: Use '##' to SPLIT SECTIONS.\n"
      "## {0} task: based on the following context, do the work of the {0} well.\n"
      "1. Think as a {0} before writing.\n2. Follow the format that every {0} uses.\n"
      "-----\n# Context\n{1}-----\n## Format example for the {0}\n...\n",
      role, code);
}

TEST(Cluster, TheSameSystemPromptWithOtherUserTemplatesAreOtherTasks) {
  Agents agents;
  const std::vector<std::string> roles = {"engineer", "reviewer", "product manager", "tester"};
  for (const std::string system : {"", "You are a helpful assistant."}) {
    agents.examples.clear();
    for (int i = 0; i < 160; ++i) {
      agents.add(system, role_prompt(agents, roles[static_cast<std::size_t>(i) % 4]),
                 "## Answer\n" + agents.words(30) + "\n" + agents.words(9));
    }
    const Clustering made = clustered(agents);
    EXPECT_EQ(made.tasks.size(), 4U);
    EXPECT_EQ(unassigned(made), 0U);
    std::map<TaskId, std::set<std::size_t>> kinds;
    for (std::size_t i = 0; i < made.assignments.size(); ++i)
      kinds[made.assignments[i].task].insert(i % 4);
    for (const auto& [id, kind] : kinds) EXPECT_EQ(kind.size(), 1U);
    for (const Task& task : made.tasks) EXPECT_TRUE(task.separable) << task.name;
  }
}

TEST(Cluster, OneLineTemplatesBelowNoSystemPromptAreToldApart) {
  Agents agents;
  for (int i = 0; i < 120; ++i) {
    if (i % 2 == 0) {
      agents.add("", "Translate to German: " + agents.words(6), agents.words(6));
    } else {
      agents.add("", "Sentiment of this review: " + agents.words(9),
                 agents.below(2) == 0 ? "positive" : "negative");
    }
  }
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 2U);
  EXPECT_TRUE(made.tasks[0].separable);
  EXPECT_TRUE(made.tasks[1].separable);
  EXPECT_EQ(made.tasks[0].statistics.calls, 60);
}

TEST(Cluster, AToolLoopIsSplitByItsNextStepAndItsStepsAreNotSeparable) {
  Agents agents;
  for (int i = 0; i < 240; ++i) {
    json::array messages{Agents::message("system",
                                         "You are an airline agent. Follow the policy "
                                         "on baggage, cabins and refunds."),
                         Agents::message("user", "Hi, " + agents.words(8))};
    for (std::size_t turn = 1 + agents.below(3); turn > 0; --turn) {
      messages.push_back(Agents::message("assistant", agents.words(8)));
      messages.push_back(Agents::message("user", agents.words(5)));
    }
    json::array tools{Agents::tool("get_user"), Agents::tool("book"), Agents::tool("cancel")};
    switch (i % 3) {
      case 0: agents.add(messages, json::object{{"content", agents.words(12)}}, tools); break;
      case 1: agents.add(messages, Agents::calling("get_user", {{"id", i}}), tools); break;
      default: agents.add(messages, Agents::calling("cancel", {{"reservation", i}}), tools);
    }
  }
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 3U);
  for (const Task& task : made.tasks) EXPECT_FALSE(task.separable) << task.name;
  EXPECT_EQ(unassigned(made), 0U);
}

TEST(Cluster, FreeWritingBelowADistinctivePromptIsOneTextTask) {
  Agents agents;
  for (int i = 0; i < 90; ++i) {
    agents.add("You write a weekly newsletter for gardeners, in three short paragraphs.",
               "Topic: " + agents.words(7), agents.words(60) + "\n\n" + agents.words(40));
  }
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 1U);
  EXPECT_EQ(made.tasks.front().answer_form, AnswerForm::text);
  EXPECT_LT(made.tasks.front().replaceability.estimate, 0.3);
}

// Found in the demo: with 500 calls each of twelve audiences recurs often enough to pass for a
// template line.
TEST(Cluster, ShortValuesBehindLabelsDoNotSplitATask) {
  Agents agents;
  const std::vector<std::string> audiences = {"night owls", "gamers",   "students", "musicians",
                                              "busy cooks", "cyclists", "toddlers", "collectors"};
  const std::vector<std::string> products = {"toaster", "tent", "desk lamp", "yoga mat", "guitar"};
  for (std::size_t i = 0; i < 600; ++i) {
    agents.add("You write product copy for a web shop's newsletter.\nEach text is fresh and vivid.",
               "Product: " + products[agents.below(5)] +
                   "\nTone: " + (agents.below(2) == 0 ? "warm" : "dry") +
                   "\nAudience: " + audiences[agents.below(8)] +
                   std::format("\nWrite {} sentences.", 3 + agents.below(3)),
               agents.words(40));
  }
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 1U);
  EXPECT_EQ(unassigned(made), 0U);
}

TEST(Cluster, ACustomerLineInTheSystemPromptDoesNotSplitATask) {
  Agents agents;
  for (int i = 0; i < 200; ++i) {
    // Four calls a session, one customer a session.
    agents.add(std::format("You are a support agent of Example Ltd.\nCustomer: {}\nAnswer with the "
                           "name of the queue that takes the request.",
                           "Name" + std::string(1 + static_cast<std::size_t>(i) / 4 % 20, 'x')),
               agents.words(9), std::format("queue_{}", agents.below(5)));
  }
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 1U);
  EXPECT_EQ(unassigned(made), 0U);
}

TEST(Cluster, RequestsThatDifferOnlyInNumbersStayInTheirTask) {
  Agents agents;
  add_intents(agents, 300);
  for (int i = 0; i < 12; ++i) {
    agents.add("You detect the intent of a banking customer. Answer with the intent only.",
               std::format("what is the square root of {}", i * 17), "intent_7");
  }
  EXPECT_EQ(clustered(agents).tasks.size(), 1U);
}

TEST(Cluster, DifferentAgentsInOneLogStayApart) {
  Agents agents;
  add_intents(agents, 120);
  for (int i = 0; i < 80; ++i)
    agents.add("Summarise the ticket in one sentence.", agents.words(30), agents.words(15));
  for (int i = 0; i < 80; ++i)
    agents.add("", role_prompt(agents, "engineer"), "```python\n" + agents.words(20) + "\n```");
  const Clustering made = clustered(agents);
  EXPECT_EQ(made.tasks.size(), 3U);
  for (const Task& task : made.tasks) {
    EXPECT_TRUE(task.separable) << task.name;
    EXPECT_FALSE(task.name.empty());
  }
}

TEST(Cluster, EveryCallOfATaskMatchesItsTemplate) {
  Agents agents;
  add_intents(agents, 100);
  for (int i = 0; i < 50; ++i) agents.add("", role_prompt(agents, "tester"), agents.words(9));
  const Clustering made = clustered(agents);
  std::map<TaskId, const Task*> tasks;
  for (const Task& task : made.tasks) tasks[task.id] = &task;
  for (std::size_t i = 0; i < made.assignments.size(); ++i) {
    ASSERT_TRUE(tasks.contains(made.assignments[i].task));
    EXPECT_EQ(made.assignments[i].call, agents.examples[i].call);
    const CallView view = view_of(agents.examples[i]).value();
    const PromptTemplate& shape = tasks.at(made.assignments[i].task)->prompt_template;
    const auto slots = shape.match(view.prompt);
    ASSERT_TRUE(slots.has_value());
    EXPECT_EQ(shape.render(*slots), view.prompt);
  }
}

TEST(Cluster, EqualInputGivesEqualTasksAndIds) {
  Agents agents;
  add_intents(agents, 100);
  const Clustering first = clustered(agents);
  const Clustering second = clustered(agents);
  ASSERT_EQ(first.tasks.size(), second.tasks.size());
  EXPECT_EQ(first.tasks.front().id, second.tasks.front().id);
  EXPECT_TRUE(first.tasks.front().id.value.starts_with("t-"));
  EXPECT_EQ(first.tasks.front().id.value.size(), 12U);
}

TEST(Cluster, TooFewCallsAreTheTailAndUnreadableOnesAreCounted) {
  Agents agents;
  add_intents(agents, 60);
  agents.add("Something rare.", "once", "yes");
  agents.examples.push_back(agents.examples.front());
  agents.examples.back().request = SecretText("no json");
  const Clustering made = clustered(agents);
  EXPECT_EQ(made.tasks.size(), 1U);
  EXPECT_EQ(unassigned(made), 2U);
  EXPECT_EQ(made.unreadable, 1U);
  EXPECT_TRUE(cluster_examples({}, {}).value().tasks.empty());
}

TEST(TaskIds, AGrownTaskKeepsItsIdAndANewOneDoesNotTakeIt) {
  std::vector<Task> tasks(2);
  tasks[0].id = {"t-new"};
  tasks[1].id = {"t-old"};  // a fresh task that hashes to an id that is in use
  std::vector<Assignment> now;
  std::vector<Assignment> earlier;
  for (int i = 0; i < 10; ++i) {
    const CallId call{"c" + std::to_string(i)};
    if (i < 6) earlier.push_back({.call = call, .task = {"t-old"}});
    now.push_back({.call = call, .task = {i < 8 ? "t-new" : "t-old"}});
  }
  keep_task_ids(tasks, now, {.tasks = {}, .assignments = earlier});
  EXPECT_EQ(tasks[0].id.value, "t-old");
  EXPECT_NE(tasks[1].id.value, "t-old");
  EXPECT_EQ(now[0].task.value, "t-old");
  EXPECT_EQ(now[9].task, tasks[1].id);
}

TEST(TaskIds, ATaskWhoseOldCallsAreGoneIsKnownByItsTemplate) {
  Task before;
  before.id = {"t-old"};
  before.template_id = "p-lineage";
  before.lines = {1, 2, 3, 4, 5};
  std::vector<Task> tasks(2);
  tasks[0].id = {"t-new"};
  tasks[0].template_id = "p-other";
  tasks[0].lines = {1, 2, 3, 4, 6};  // the next version of the prompt
  tasks[1].id = {"t-stranger"};
  tasks[1].lines = {7, 8, 9};
  std::vector<Assignment> now{{.call = {"c1"}, .task = {"t-new"}}};
  keep_task_ids(tasks, now,
                {.tasks = {before}, .assignments = {{.call = {"gone"}, .task = {"t-old"}}}});
  EXPECT_EQ(tasks[0].id.value, "t-old");
  EXPECT_EQ(tasks[0].template_id, "p-lineage");
  EXPECT_EQ(now[0].task.value, "t-old");
  EXPECT_EQ(tasks[1].id.value, "t-stranger");
}

TEST(Cluster, TwoVersionsOfOnePromptAreOneTask) {
  Agents agents;
  for (int i = 0; i < 120; ++i) {
    const std::string added = i < 60 ? "" : "Mention the warranty where there is one.\n";
    agents.add(
        "You answer questions about the shop's products.\nBe brief and friendly.\n"
        "Never promise a delivery date.\n" +
            added + "Answer in the customer's language.",
        "Question: " + agents.words(9), agents.words(20));
  }
  const Clustering made = clustered(agents);
  ASSERT_EQ(made.tasks.size(), 1U);
  EXPECT_EQ(unassigned(made), 0U);
  EXPECT_EQ(made.tasks.front().slots.size(), made.tasks.front().prompt_template.slot_count());
}

}  // namespace
}  // namespace understudy::s3

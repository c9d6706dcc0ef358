#include "steps/s3_cluster/task_examples.hpp"

#include "adapters/crypto/keys.hpp"
#include "adapters/store/dataset.hpp"
#include "adapters/store/metadata.hpp"
#include "steps/s3_cluster/call_view.hpp"

namespace understudy::s3 {

Result<std::vector<TaskExample>> task_examples(const store::Home& home, const Task& task,
                                               std::size_t count) {
  const auto curator = TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
  const auto metadata = TRY(store::Metadata::open(home));
  const auto members = TRY(metadata.members_of(task.id));
  const auto examples = TRY(store::read_dataset(home, TRY(metadata.clustered_dataset()), curator));
  std::vector<const Example*> found;
  for (const Example& example : examples) {
    if (members.contains(example.call)) found.push_back(&example);
  }
  std::vector<TaskExample> shown;
  for (std::size_t i = 0; i < std::min(count, found.size()); ++i) {
    const Example& example = *found[i * found.size() / std::min(count, found.size())];
    const CallView view = TRY(view_of(example));
    TaskExample one{.call = example.call, .session = example.session, .slots = {}, .answer = {}};
    for (std::string& slot : task.prompt_template.match(view.prompt).value_or({view.prompt}))
      one.slots.emplace_back(std::move(slot));
    one.answer = SecretText(to_target(view.answer));
    shown.push_back(std::move(one));
  }
  return shown;
}

json::value to_json(const TaskExample& example) {
  json::array slots;
  for (const SecretText& slot : example.slots) slots.emplace_back(slot.reveal());
  return json::object{{"call_id", example.call.value},
                      {"session", example.session.value},
                      {"slots", std::move(slots)},
                      {"answer", example.answer.reveal()}};
}

}  // namespace understudy::s3

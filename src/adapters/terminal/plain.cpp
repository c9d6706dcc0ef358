#include "adapters/terminal/plain.hpp"

#include <ftxui/dom/node.hpp>
#include <ftxui/screen/screen.hpp>
#include <memory>
#include <string>
#include <utility>

namespace understudy::terminal {

namespace {

class Plain final : public ftxui::Node {
 public:
  explicit Plain(ftxui::Element inner) : Node({std::move(inner)}) {}

  void ComputeRequirement() override {
    Node::ComputeRequirement();
    requirement_ = children_[0]->requirement();
  }
  void SetBox(ftxui::Box box) override {
    Node::SetBox(box);
    children_[0]->SetBox(box);
  }
  void Render(ftxui::Screen& screen) override {
    Node::Render(screen);
    for (int y = box_.y_min; y <= box_.y_max; ++y) {
      for (int x = box_.x_min; x <= box_.x_max; ++x) {
        std::string letter = std::move(screen.PixelAt(x, y).character);
        screen.PixelAt(x, y) = ftxui::Pixel();
        screen.PixelAt(x, y).character = std::move(letter);
      }
    }
  }
};

}  // namespace

ftxui::Element drawn_in(Colours colours, ftxui::Element element) {
  if (colours == Colours::some) return element;
  return std::make_shared<Plain>(std::move(element));
}

}  // namespace understudy::terminal

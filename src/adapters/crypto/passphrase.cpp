#include "adapters/crypto/passphrase.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace understudy::crypto {

namespace {

constexpr std::size_t passphrase_bytes_min = 8;
constexpr std::size_t passphrase_bytes_max = 1024;

std::string variable_of(std::string_view role, std::string_view prefix) {
  std::string name(prefix);
  for (const char letter : role) {
    name += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  }
  return name;
}

std::optional<SecretText> from_environment(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return SecretText(std::string(value));
}

// The terminal without echo, for the life of this object.
class Terminal {
 public:
  Terminal() : descriptor_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    if (descriptor_ < 0 || ::tcgetattr(descriptor_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ready_ = ::tcsetattr(descriptor_, TCSAFLUSH, &silent) == 0;
  }
  ~Terminal() {
    if (ready_) ::tcsetattr(descriptor_, TCSAFLUSH, &before_);
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] bool ready() const { return ready_; }
  SecretText ask(const std::string& question) const {
    say(question);
    std::string line;
    line.reserve(passphrase_bytes_max);  // no growing: no copies left behind
    char letter = 0;
    while (line.size() < passphrase_bytes_max && ::read(descriptor_, &letter, 1) == 1) {
      if (letter == '\n' || letter == '\r') break;
      line += letter;
    }
    say("\n");
    return SecretText(std::move(line));
  }

 private:
  void say(const std::string& text) const {
    if (::write(descriptor_, text.data(), text.size()) < 0) return;  // then nobody sees it
  }

  int descriptor_;
  termios before_{};
  bool ready_ = false;
};

std::unexpected<Error> nobody_to_ask(std::string_view role, const std::string& variable) {
  return fail(ErrorCode::denied,
              "the key of " + std::string(role) + " wants a passphrase, and there is no terminal",
              "set $" + variable);
}

}  // namespace

Result<SecretText> ask_passphrase(std::string_view role) {
  const std::string variable = variable_of(role, "UNDERSTUDY_PASSPHRASE_");
  if (auto given = from_environment(variable)) return std::move(*given);
  const Terminal terminal;
  if (!terminal.ready()) return nobody_to_ask(role, variable);
  return terminal.ask("Passphrase of the " + std::string(role) + "'s key: ");
}

Result<SecretText> ask_new_passphrase(std::string_view role) {
  const std::string variable = variable_of(role, "UNDERSTUDY_NEW_PASSPHRASE_");
  auto passphrase = from_environment(variable);
  if (!passphrase) {
    const Terminal terminal;
    if (!terminal.ready()) return nobody_to_ask(role, variable);
    passphrase = terminal.ask("New passphrase for the " + std::string(role) + "'s key: ");
    if (terminal.ask("Once more: ").reveal() != passphrase->reveal()) {
      return fail(ErrorCode::invalid_input, "the two are not the same; nothing was changed");
    }
  }
  if (passphrase->reveal().size() < passphrase_bytes_min) {
    return fail(ErrorCode::invalid_input, "a passphrase has at least 8 characters");
  }
  return std::move(*passphrase);
}

}  // namespace understudy::crypto

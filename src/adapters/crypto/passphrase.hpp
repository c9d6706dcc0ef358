// Where passphrases of role keys come from: $UNDERSTUDY_PASSPHRASE_CURATOR and the like, or a
// prompt on the terminal (without echo). Runs on the caller's thread and waits for the person.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace understudy::crypto {

// denied where there is neither the variable nor a terminal.
Result<SecretText> ask_passphrase(std::string_view role);
// For a key that gets one: $UNDERSTUDY_NEW_PASSPHRASE_CURATOR, or asked for twice.
Result<SecretText> ask_new_passphrase(std::string_view role);

}  // namespace understudy::crypto

// Keys, tokens and passwords in a text. Private to detect. Pure and thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "steps/s2_curate/detect/entity.hpp"
#include "steps/s2_curate/detect/finders.hpp"
#include "steps/s2_curate/detect/secret_formats.hpp"

namespace understudy::s2 {

// `place` is where the format's literal stands.
std::optional<Entity> find_formatted_secret(const Leaf& leaf, Place place,
                                            const SecretFormat& format);

// What announces secrets that have no literal of their own, for the scanner (any letter case): a
// word in a name that values are assigned to, a command, a header.
std::span<const std::string_view> secret_words();
// `place` is where such a word, or the name of a NamedFormat, stands.
std::optional<Entity> find_assigned_secret(const Leaf& leaf, Place place);
// The whole leaf, where its JSON key says that it is a secret.
std::optional<Entity> find_keyed_secret(const Leaf& leaf);

std::optional<Entity> find_private_key(std::string_view text, std::size_t begin);
std::optional<Entity> find_jwt(std::string_view text, std::size_t begin);
// `begin` is behind "curl".
std::optional<Entity> find_curl_password(std::string_view text, std::size_t begin);
// `begin` is behind "Authorization" or "Bearer".
std::optional<Entity> find_authorization(std::string_view text, std::size_t begin);

Entity secret_at(std::string_view text, Place place, std::string_view kind);

}  // namespace understudy::s2

#include "apps/render_log.hpp"

#include "apps/fields.hpp"
#include "apps/table.hpp"
#include "base/figures.hpp"

namespace understudy::apps {

namespace {

bool yes(const json::value& tree, std::string_view key) {
  return json::find_bool(tree, key).value_or(false);
}
std::string mebibytes(std::int64_t bytes) {
  const std::int64_t tenths = bytes * 10 / (1024 * 1024);
  return thousands(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

}  // namespace

std::string render_log_statistics(const json::value& result) {
  std::string out = thousands(integer(result, "calls")) + " calls in " +
                    thousands(integer(result, "segments")) + " segments; " +
                    thousands(integer(result, "served_by_slm")) + " served by small models, " +
                    thousands(integer(result, "not_ok")) + " not ok\n";
  const std::int64_t content = integer(result, "content_bytes");
  const std::int64_t stored = integer(result, "bytes");
  out += mebibytes(stored) + " on disk for " + mebibytes(content) + " of requests and responses";
  if (content > 0) {
    out += " (" + percent(static_cast<double>(stored) / static_cast<double>(content)) + ")";
  }
  out += "\n";
  if (const std::string first = second_of(result, "first_call"); !first.empty()) {
    out += "from " + first + " to " + second_of(result, "last_call") + "\n";
  }
  if (integer(result, "feedback") > 0) {
    out += thousands(integer(result, "feedback")) + " records of feedback\n";
  }
  if (integer(result, "erased_calls") > 0) {
    out += thousands(integer(result, "erased_calls")) + " calls of erased tenants\n";
  }
  if (const json::object* tenants = json::find_object(result, "tenants");
      tenants != nullptr && tenants->size() > 1) {
    Table table({{.title = "tenant"}, {.title = "calls", .align = Align::right}});
    for (const auto& tenant : *tenants) {
      table.add({std::string(tenant.key()), thousands(tenant.value().to_number<std::int64_t>())});
    }
    out += table.to_text();
  }
  return out + bullets(result, "warnings", "warning: ") + bullets(result, "corrupt", "corrupt: ");
}

std::string render_log_verification(const json::value& result) {
  return std::string(yes(result, "sound") ? "sound: " : "NOT sound: ") +
         thousands(integer(result, "calls")) + " calls in " +
         thousands(integer(result, "segments")) + " segments, every byte checked with the " +
         text(result, "key") + "'s key" +
         (text(result, "depth") == "content" ? ", every content opened" : "") + "; " +
         thousands(integer(result, "closed_segments")) + " segments have their end mark; the " +
         "audit trail holds what " + thousands(integer(result, "trail_anchors")) +
         " segments say of it\n" + bullets(result, "warnings", "warning: ") +
         bullets(result, "corrupt", "corrupt: ") +
         bullets(result, "trail_findings", "audit trail: ");
}

std::string render_log_keys(const json::value& result) {
  Table table({{.title = "segment"},
               {.title = "v", .align = Align::right},
               {.title = "kind"},
               {.title = "cipher"},
               {.title = "sealed to (secret key here?)", .align = Align::left, .width_max = 90}});
  for (const json::value& segment : list(result, "segments")) {
    std::string readers = text(segment, "error");
    for (const json::value& reader : list(segment, "readers")) {
      const std::string state = text(reader, "state");
      readers += (readers.empty() ? "" : ", ") + text(reader, "fingerprint");
      readers += state == "unknown"
                     ? " (unknown here)"
                     : " " + std::string(state == "former" ? "former " : "") +
                           text(reader, "role") + (yes(reader, "secret_here") ? " (yes)" : " (no)");
    }
    table.add({text(segment, "segment"), std::to_string(integer(segment, "version")),
               text(segment, "kind"), text(segment, "cipher"), readers});
  }
  std::string out = table.to_text();
  const json::array tenants = list(result, "tenants");
  out += thousands(static_cast<std::int64_t>(tenants.size())) + " tenants have a key here\n";
  return out + bullets(result, "tenants", "  ") +
         (list(result, "unknown_keys").empty() ? ""
                                               : "Segments sealed to unknown keys need the backup "
                                                 "of the keys/ they were made with.\n");
}

std::string render_erasure(const json::value& result) {
  std::string out = "erased tenant " + text(result, "tenant") +
                    ": nobody can read its requests and responses in the log any more\n"
                    "Backups of HOME/keys/tenants undo this: delete " +
                    text(result, "tenant") + ".key.sealed there too.\n";
  if (const auto old = list(result, "segments_of_version_1"); !old.empty()) {
    out += "Not reached: segments of format version 1, which have one key for all tenants:\n" +
           bullets(result, "segments_of_version_1", "  ");
  }
  if (!list(result, "datasets_made_before").empty()) {
    out +=
        "Not reached: data sets (and models trained on them) that were curated before. Run "
        "`understudy curate`,\nthen delete the older ones of\n" +
        bullets(result, "datasets_made_before", "  datasets/");
  }
  return out;
}

std::string render_new_keys(const json::value& result) {
  std::string out = "keys made in " + text(result, "directory") + "\n";
  if (const json::object* keys = json::find_object(result, "keys")) {
    for (const auto& key : *keys)
      out += "  " + std::string(key.key()) + "  " + std::string(key.value().get_string()) + "\n";
  }
  return out +
         "Keep *.key files safe and apart from the gateway's machine: it needs *.pub and "
         "pseudonym.key only.\n";
}

std::string render_keys(const json::value& result) {
  Table table({{.title = "key"},
               {.title = "fingerprint"},
               {.title = "public"},
               {.title = "secret"},
               {.title = "passphrase"},
               {.title = "former", .align = Align::right}});
  for (const json::value& key : list(result, "keys")) {
    table.add({text(key, "name"), text(key, "fingerprint"), yes(key, "public_here") ? "here" : "-",
               yes(key, "secret_here") ? "here" : "-", yes(key, "passphrase") ? "yes" : "-",
               thousands(static_cast<std::int64_t>(list(key, "former").size()))});
  }
  return table.to_text() + thousands(integer(result, "tenants")) + " tenants have keys in " +
         text(result, "directory") + "/tenants\n";
}

std::string render_rotation(const json::value& result) {
  std::string out =
      text(result, "role") + ": " + text(result, "before") + " -> " + text(result, "after") + "\n";
  if (integer(result, "tenants_resealed") > 0) {
    out += thousands(integer(result, "tenants_resealed")) + " tenants' keys sealed anew\n";
  }
  return out +
         "What was sealed to the old key still opens: it is kept in keys/archive, sealed to the "
         "new "
         "one.\nBack the new key up. A gateway elsewhere needs the new " +
         text(result, "role") + ".pub.\n";
}

std::string render_protection(const json::value& result) {
  const std::string role = text(result, "role");
  return yes(result, "passphrase")
             ? "the " + role + "'s key wants a passphrase from now on; without it the key is lost\n"
             : "the " + role + "'s key wants no passphrase any more\n";
}

std::string render_audit(const json::value& result) {
  Table table({{.title = "line", .align = Align::right},
               {.title = "at"},
               {.title = "user"},
               {.title = "role"},
               {.title = "act"},
               {.title = "what"},
               {.title = "calls", .align = Align::right},
               {.title = "detail", .align = Align::left, .width_max = 60}});
  for (const json::value& entry : list(result, "entries")) {
    const auto calls = json::find_integer(entry, "calls");
    table.add({std::to_string(integer(entry, "line")), text(entry, "at"), text(entry, "user"),
               text(entry, "role"), text(entry, "act"), text(entry, "what"),
               calls ? thousands(*calls) : "", text(entry, "detail")});
  }
  return table.to_text() +
         (yes(result, "sound") ? "" : "NOT sound: see `understudy audit verify`\n");
}

std::string render_audit_verification(const json::value& result) {
  return std::string(yes(result, "sound") ? "sound: " : "NOT sound: ") +
         thousands(integer(result, "lines")) + " lines; " + thousands(integer(result, "anchors")) +
         " segments of the log agree\nhead " + text(result, "head") + "\n" +
         bullets(result, "findings", "") + bullets(result, "warnings", "warning: ") +
         (yes(result, "sound") ? "Note the head elsewhere: `understudy audit verify --head HASH` "
                                 "shows later whether lines were cut off.\n"
                               : "");
}

}  // namespace understudy::apps

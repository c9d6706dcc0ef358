#include "adapters/wire/request_scan.hpp"

#include <gmock/gmock.h>

#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RequestScan scanned(Api api, std::string_view body) {
  Result<RequestScan> scan = scan_request(api, body);
  EXPECT_TRUE(scan) << scan.error().message;
  return scan ? *scan : RequestScan{};
}

std::string message_of(Api api, std::string_view body) {
  const Result<RequestScan> scan = scan_request(api, body);
  EXPECT_FALSE(scan) << body;
  if (scan) return {};
  EXPECT_EQ(scan.error().code, ErrorCode::invalid_input);
  return scan.error().message;
}

std::vector<ItemKind> kinds(const RequestScan& scan) {
  std::vector<ItemKind> kinds;
  for (const RequestItem& item : scan.items) kinds.push_back(item.kind);
  return kinds;
}

std::string with(std::string_view body, std::vector<Splice> changes) {
  std::string text;
  for (const std::string_view part : spliced(body, changes)) text += part;
  return text;
}

TEST(RequestScan, FindsModelStreamUserAndTheRangesOfAChatRequest) {
  const std::string_view body =
      R"( { "model" : "gpt-4o" , "stream": true, "user":"u\u0031", "messages": [ {"role":"system","content":"s"} ,
      {"content":[{"type":"text","text":"},{"}],"role":"user"}, {"role":"assistant","content":null,"tool_calls":[]},
      {"role":"tool","tool_call_id":"1","content":"x"} ], "tools":[{"type":"function"}], "x":{"model":1} } )";
  const RequestScan scan = scanned(Api::chat_completions, body);
  EXPECT_EQ(scan.model, "gpt-4o");
  EXPECT_EQ(slice(body, scan.model_value), "\"gpt-4o\"");
  EXPECT_EQ(scan.user, "u1");
  EXPECT_TRUE(scan.stream);
  EXPECT_THAT(kinds(scan), ElementsAre(ItemKind::system, ItemKind::user, ItemKind::assistant,
                                       ItemKind::tool_result));
  EXPECT_EQ(slice(body, scan.items[0].range), R"({"role":"system","content":"s"})");
  EXPECT_EQ(slice(body, scan.items[1].range),
            R"({"content":[{"type":"text","text":"},{"}],"role":"user"})");
  EXPECT_EQ(slice(body, scan.tools), R"([{"type":"function"}])");
}

TEST(RequestScan, ReadsTheMessagesApi) {
  const std::string_view body =
      R"({"model":"claude","max_tokens":5,"system":[{"type":"text","text":"be brief"}],"metadata":{"user_id":"u"},
      "messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t"}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok"},{"type":"text","text":"go"}]}]})";
  const RequestScan scan = scanned(Api::messages, body);
  EXPECT_EQ(slice(body, scan.system), R"([{"type":"text","text":"be brief"}])");
  EXPECT_EQ(scan.user, "u");
  EXPECT_THAT(kinds(scan), ElementsAre(ItemKind::user, ItemKind::assistant, ItemKind::tool_result));
}

TEST(RequestScan, ReadsTheResponsesApi) {
  const std::string_view body =
      R"({"model":"gpt-5","instructions":"i","previous_response_id":"resp_1","conversation":{"id":"conv_2"},"input":[
      {"role":"developer","content":"d"},{"type":"message","role":"user","content":"u"},{"type":"reasoning","summary":[]},
      {"type":"function_call","call_id":"c"},{"type":"function_call_output","call_id":"c","output":"x"}]})";
  const RequestScan scan = scanned(Api::responses, body);
  EXPECT_THAT(kinds(scan), ElementsAre(ItemKind::system, ItemKind::user, ItemKind::other,
                                       ItemKind::tool_call, ItemKind::tool_result));
  EXPECT_EQ(scan.previous_response, "resp_1");
  EXPECT_EQ(scan.conversation, "conv_2");
  EXPECT_EQ(slice(body, scan.system), "\"i\"");
  EXPECT_EQ(scanned(Api::responses, R"({"model":"m","input":"hi"})").items.size(), 1U);
  EXPECT_TRUE(scan_request(Api::responses, R"({"previous_response_id":"r"})"));
  EXPECT_TRUE(scan_request(Api::responses, R"({"prompt":{"id":"pmpt_1"}})"));
}

TEST(RequestScan, ReadsPromptsAndEmbeddingInputsAsOneItem) {
  const std::string_view body = R"({"model":"m","prompt":["a","b"],"stream":false})";
  EXPECT_EQ(slice(body, scanned(Api::completions, body).items.at(0).range), R"(["a","b"])");
  EXPECT_EQ(scanned(Api::embeddings, R"({"model":"m","input":[1,2,3]})").items.size(), 1U);
}

TEST(RequestScan, TheUsageSpliceMakesTheOptionTrue) {
  for (const char* options : {R"()", R"("stream_options":null,)", R"("stream_options":{},)",
                              R"("stream_options": { "include_usage" : false },)",
                              R"("stream_options":{"include_usage":null,"x":1},)",
                              R"("stream_options":{"include_obfuscation":false},)"}) {
    const std::string body = std::string(R"({"model":"m","stream":true,)") + options +
                             R"("messages":[{"role":"user"}]})";
    const RequestScan scan = scanned(Api::chat_completions, body);
    EXPECT_FALSE(scan.include_usage);
    ASSERT_TRUE(scan.ask_for_usage) << body;
    const std::string changed = with(body, {*scan.ask_for_usage});
    const auto tree = json::parse(changed);
    ASSERT_TRUE(tree) << changed;
    EXPECT_TRUE(tree->at("stream_options").at("include_usage").as_bool());
    EXPECT_TRUE(scanned(Api::chat_completions, changed).include_usage);
    EXPECT_FALSE(scanned(Api::chat_completions, changed).ask_for_usage);
  }
  EXPECT_FALSE(
      scanned(Api::messages, R"({"stream":true,"messages":[{"role":"user"}]})").ask_for_usage);
  EXPECT_FALSE(scanned(Api::chat_completions, R"({"messages":[{"role":"user"}]})").ask_for_usage);
}

TEST(RequestScan, AnotherModelNameIsSplicedInAndNothingElseChanges) {
  const std::string_view body = R"({"messages":[{"role":"user"}], "model" : "a\"b" ,"z":1.50})";
  const RequestScan scan = scanned(Api::chat_completions, body);
  EXPECT_EQ(scan.model, "a\"b");
  EXPECT_EQ(with(body, {{scan.model_value.begin, scan.model_value.bytes, "\"c\""}}),
            R"({"messages":[{"role":"user"}], "model" : "c" ,"z":1.50})");
}

TEST(RequestScan, RepeatedPartsAreLongEnoughAscendingAndApart) {
  const std::string words(limits::repeated_part_bytes_min, 'w');
  const std::string body = R"({"tools":[{"name":")" + words +
                           R"("}],"messages":[{"role":"user","content":")" + words +
                           R"("},{"role":"user"}],"system":")" + words + R"("})";
  const RequestScan scan = scanned(Api::messages, body);
  ASSERT_EQ(scan.repeated.size(), 3U);
  std::size_t end = 0;
  for (const TextRange& range : scan.repeated) {
    EXPECT_GE(range.begin, end);
    EXPECT_THAT(std::string(slice(body, range)), HasSubstr(words));
    end = range.begin + range.bytes;
  }
}

TEST(RequestScan, RefusesWhatIsNoRequestAndSaysWhatAndWhere) {
  EXPECT_THAT(message_of(Api::chat_completions, ""), HasSubstr("no JSON object"));
  EXPECT_THAT(message_of(Api::chat_completions, "[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(message_of(Api::chat_completions, R"({"messages":[{"role":"user"}],})"),
              HasSubstr("at byte"));
  EXPECT_THAT(message_of(Api::chat_completions, R"({"messages":[{"role":"user"}]} x)"),
              HasSubstr("not valid JSON"));
  EXPECT_THAT(message_of(Api::chat_completions, R"({"messages":[{"role":"user"})"),
              HasSubstr("JSON"));
  EXPECT_THAT(message_of(Api::chat_completions, R"({"model":"m"})"), HasSubstr("\"messages\""));
  EXPECT_THAT(message_of(Api::chat_completions, R"({"messages":[]})"), HasSubstr("empty"));
  EXPECT_THAT(message_of(Api::chat_completions, R"({"messages":[{},7]})"),
              HasSubstr("\"messages\"[1] is no JSON object, at byte 16"));
  EXPECT_THAT(message_of(Api::messages, R"({"messages":"x"})"), HasSubstr("no list"));
  EXPECT_THAT(message_of(Api::responses, R"({"model":"m"})"), HasSubstr("\"input\""));
  EXPECT_THAT(message_of(Api::responses, R"({"input":{"a":1}})"), HasSubstr("no list"));
  EXPECT_THAT(message_of(Api::completions, R"({"messages":[{}]})"), HasSubstr("\"prompt\""));
  EXPECT_THAT(message_of(Api::chat_completions, R"({"model":5,"messages":[{}]})"),
              HasSubstr("\"model\" is no string, at byte 9"));
  EXPECT_THAT(message_of(Api::chat_completions, "{\"messages\":[{\"role\":\"\xFF\"}]}"),
              HasSubstr("JSON"));
}

TEST(RequestScan, RefusesAModelThatAPeerCouldReadOtherwise) {
  // The last of two keys counts for some parsers, and Go's ignores case: both would let a request
  // pass an allow-list and reach another model.
  for (const char* model : {R"("model":"b","model":"a")", R"("model":"a","mod\u0065l":"b")",
                            R"("model":"a","Model":"b")"}) {
    const std::string body = std::string("{") + model + R"(,"messages":[{"role":"user"}]})";
    EXPECT_NE(message_of(Api::chat_completions, body), "");
  }
}

TEST(RequestScan, HoldsItsLimits) {
  std::string many = R"({"messages":[{})";
  for (std::size_t i = 0; i < limits::request_items_max; ++i) many += ",{}";
  many += "]}";
  EXPECT_THAT(message_of(Api::chat_completions, many), HasSubstr("more than"));
  const std::string deep =
      R"({"messages":[{}],"x":)" + std::string(5000, '[') + std::string(5000, ']') + "}";
  EXPECT_THAT(message_of(Api::chat_completions, deep), HasSubstr("JSON"));
}

TEST(RequestScan, BothFormsAgreeOnALargeBody) {
  std::string body = R"({"model":"m","messages":[{"role":"user","content":")" +
                     std::string(3 * limits::mebi, 'A') + R"("}]})";
  const RequestScan copied = scanned(Api::chat_completions, body);
  const Result<RequestScan> in_place = scan_request(Api::chat_completions, body);
  ASSERT_TRUE(in_place);
  EXPECT_EQ(in_place->items.at(0).range.bytes, copied.items.at(0).range.bytes);
  EXPECT_EQ(slice(body, copied.items.at(0).range).back(), '}');
}

}  // namespace
}  // namespace understudy::wire

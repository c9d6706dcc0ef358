// Every limit of the system, named, in one place, with the reason for its size.
#pragma once

#include <cstddef>
#include <cstdint>

namespace understudy::limits {

inline constexpr std::size_t kibi = 1024;
inline constexpr std::size_t mebi = 1024 * kibi;

// wire: images travel as base64 inside bodies, 10 to 50 MB of them are seen in practice
inline constexpr std::size_t body_bytes_max = 64 * mebi;
inline constexpr std::size_t header_bytes_max = 64 * kibi;
inline constexpr std::size_t json_depth_max = 64;
inline constexpr std::size_t sse_event_bytes_max = 8 * mebi;

// import: one call as one line; a line holds a whole request and its response
inline constexpr std::size_t jsonl_line_bytes_max = 2 * body_bytes_max;

// gateway
inline constexpr std::size_t connections_max = 4096;
inline constexpr int connect_timeout_s = 10;
inline constexpr int first_byte_timeout_s = 300;
inline constexpr int idle_timeout_s = 120;
inline constexpr int keep_alive_timeout_s = 75;
inline constexpr int head_timeout_s = 30;  // from a request's first byte to the end of its head
inline constexpr int upstream_idle_timeout_s = 60;  // a pooled connection; servers' own limit is 75
inline constexpr std::size_t upstream_idle_connections_max = 512;  // per upstream and I/O thread
inline constexpr int resolve_cache_s = 10;  // an upstream's addresses; a burst asks the DNS once
inline constexpr int interim_answers_max = 16;  // 100 and 103 before the answer itself
inline constexpr int loop_sweep_ms = 20;  // deadlines' resolution; a lost client is seen in 50 ms
inline constexpr std::size_t loop_scratch_bytes = 64 * kibi;     // one read buffer per I/O thread
inline constexpr std::size_t unread_body_bytes_max = 64 * kibi;  // skipped to keep a connection
inline constexpr std::int64_t body_bytes_per_s_min = 1024;  // slower peers lose their connection
inline constexpr int drain_timeout_s = 20;
inline constexpr int drain_end_ms = 500;    // for what was told to end when the drain ran out
inline constexpr int refusal_linger_s = 5;  // a refused client may still be writing its body
inline constexpr int accept_pause_ms = 50;  // after a failed accept
inline constexpr std::size_t inline_parse_bytes_max = 256 * kibi;  // about 1 ms on an I/O thread

// call log
inline constexpr std::size_t log_ring_records_max = 4096;
inline constexpr std::size_t log_ring_bytes_max = 256 * mebi;
inline constexpr std::size_t log_group_bytes_max =
    mebi / 4;                                       // a nearly full disk takes some groups
inline constexpr int log_retry_interval_ms = 1000;  // after a failed write
inline constexpr int log_commit_interval_ms = 50;   // group commit: one fdatasync costs about 4 ms
inline constexpr std::size_t segment_bytes_max = 256 * mebi;
inline constexpr std::size_t record_bytes_max = 2 * body_bytes_max;

// clustering and templates
inline constexpr std::size_t template_slots_max = 64;
inline constexpr std::size_t template_inline_bytes_max =
    8 * kibi;  // longer slots are mined by line
inline constexpr std::size_t clustered_text_bytes_max =
    4 * kibi;  // what tells texts apart stands in front
inline constexpr std::size_t prompt_bytes_featured_max = 64 * kibi;
inline constexpr std::size_t neighbours_exact_rows_max = 20'000;  // 2 s on 2 cores at 128 columns
inline constexpr std::size_t neighbours_asked_max = 1024;

// small models
inline constexpr std::size_t slm_parallel_slots = 4;
inline constexpr int slm_timeout_s = 20;
inline constexpr int slm_start_timeout_s = 60;

// classifier: one row of f16 weights a feature, one column a label; read whole by the gateway
inline constexpr std::size_t classifier_labels_max = 4096;
inline constexpr std::uint32_t classifier_hash_bits_max = 22;
inline constexpr std::size_t classifier_weight_bytes_max = 48 * mebi;
inline constexpr std::size_t classifier_file_bytes_max = 64 * mebi;

static_assert(jsonl_line_bytes_max >= 2 * body_bytes_max, "a call holds a request and a response");
static_assert(segment_bytes_max >= record_bytes_max, "every record fits into a segment");
static_assert(classifier_file_bytes_max > classifier_weight_bytes_max, "weights, labels, idf");
static_assert(log_ring_bytes_max >= record_bytes_max, "every record fits into the ring");

}  // namespace understudy::limits

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
inline constexpr std::size_t request_items_max = 65'536;  // messages; 3 bytes of body can make one
inline constexpr std::size_t stream_parts_max = 4096;  // choices, tool calls, blocks of one answer
inline constexpr std::size_t stream_members_max = 64;  // of one delta: an API has about ten
inline constexpr std::int64_t translated_tokens_max = 4096;  // every Claude model can write as much
inline constexpr std::size_t repeated_part_bytes_min = 64;   // less costs more to store apart

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
inline constexpr std::size_t stream_inbox_bytes = 2 * kibi;      // read while a connection waits
inline constexpr std::size_t unread_body_bytes_max = 64 * kibi;  // skipped to keep a connection
inline constexpr std::int64_t body_bytes_per_s_min = 1024;  // slower peers lose their connection
inline constexpr int drain_timeout_s = 20;
inline constexpr int drain_end_ms = 500;    // for what was told to end when the drain ran out
inline constexpr int refusal_linger_s = 5;  // a refused client may still be writing its body
inline constexpr int accept_pause_ms = 50;  // after a failed accept
inline constexpr std::size_t inline_parse_bytes_max = 256 * kibi;  // about 1 ms on an I/O thread
inline constexpr std::size_t inline_scan_bytes_max = mebi;         // the same
// An answer is held until its end, so that a cut can be tried elsewhere; larger ones pass through.
inline constexpr std::size_t answer_held_bytes_max = mebi;
inline constexpr std::size_t id_bytes_max = 256;  // of a call or session, as clients send it
inline constexpr std::size_t tracked_conversations_max = 32'768;  // calls; 2.5 MiB

// understudy.toml
inline constexpr std::size_t config_bytes_max = mebi;
inline constexpr std::size_t upstreams_max = 64;
inline constexpr std::size_t models_max = 4096;
inline constexpr std::size_t model_targets_max = 8;  // each is a wait for the client
inline constexpr std::int64_t io_threads_max = 256;

// access: keys are looked up in memory; a list of 10,000 keys is a file of about 3 MB
inline constexpr std::size_t virtual_keys_max = 10'000;
inline constexpr std::size_t role_tokens_max = 256;
inline constexpr std::size_t access_name_bytes_max = 64;
inline constexpr std::int64_t limit_per_minute_max = 1'000'000'000;
inline constexpr double limit_usd_max = 1e9;  // a thousand-millionth of it still fits an int64
inline constexpr int access_poll_interval_ms = 250;
inline constexpr int spend_write_interval_ms = 1000;  // a crash loses at most this much spending
inline constexpr std::size_t admin_body_bytes_max = 64 * kibi;
inline constexpr std::int64_t admin_failures_per_minute = 10;  // wrong tokens from one address
inline constexpr std::size_t admin_addresses_max = 1024;
inline constexpr std::size_t priced_models_max = 1024;  // of a cache; names come from clients

// telemetry: clients choose models' names; each series costs a scrape about 2 KB
inline constexpr std::size_t metric_models_max = 64;
inline constexpr std::size_t metric_label_bytes_max = 128;
inline constexpr std::size_t span_queue_max = 2048;  // about 1 KB each
inline constexpr std::size_t span_batch_max = 512;
inline constexpr int span_interval_ms = 1000;
inline constexpr int span_export_timeout_s = 10;
inline constexpr int span_flush_s = 3;  // when the gateway ends

// call log
// The gateway stays within 32 MiB, ring included; one larger call is taken alone.
inline constexpr std::size_t log_ring_bytes_max = 8 * mebi;
inline constexpr std::size_t log_chunk_bytes = 128 * kibi;  // of records on their way to the writer
inline constexpr std::size_t log_copied_bytes_max = 32 * kibi;  // of content under its lock: 3 us
inline constexpr std::size_t log_inlets = 16;             // of the ring; threads beyond share them
inline constexpr std::size_t log_spare_chunks_max = 4;    // for each inlet
inline constexpr std::size_t log_write_bytes = mebi / 4;  // encoded bytes per write()
inline constexpr std::size_t log_encode_bytes = 32 * kibi;  // by the thread that put them
inline constexpr int log_encode_interval_ms = 10;           // a wake costs others up to 70 us
// Until what is recorded survives this process, and until it survives the machine: an fdatasync
// costs about 4 ms, and the calls beside it some more.
inline constexpr int log_write_interval_ms = 50;
inline constexpr int log_commit_interval_ms = 200;
inline constexpr int log_retry_interval_ms = 1000;     // after a failed write
inline constexpr int log_check_interval_ms = 1000;     // for changed keys, old segments
inline constexpr double log_compression_share = 0.01;  // of one core, beside I/O threads
inline constexpr std::int64_t log_compression_saved_us_max = 50'000;
inline constexpr std::size_t segment_bytes_max = 256 * mebi;
inline constexpr std::int64_t segment_age_s_max = 86'400;
// Parts of requests that a segment's readers keep in memory to put later requests together.
inline constexpr std::size_t segment_part_bytes_max = 128 * mebi;
inline constexpr std::size_t segment_tenants_max = 4096;
inline constexpr std::size_t part_bytes_min = 64;        // a shorter one is cheaper to repeat
inline constexpr std::size_t part_table_slots = 65'536;  // 16 bytes each, of the writer
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
static_assert(segment_part_bytes_max >= body_bytes_max, "the parts of every request fit");

}  // namespace understudy::limits

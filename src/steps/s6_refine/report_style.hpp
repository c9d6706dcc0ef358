// The style sheet of the report page; light and dark, on paper too.
#pragma once

#include <string_view>

namespace understudy::s6 {

inline constexpr std::string_view report_style = R"css(
:root { color-scheme: light dark; --paper: #fbfbf9; --ink: #1c1e21; --quiet: #667; --line: #dcdcd6;
  --card: #fff; --slm: #147d64; --llm: #8d96a3; --warn: #a34200; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171a; --ink: #e8e8e4; --quiet: #9aa3ad; --line: #33363b;
  --card: #1d2024; --slm: #3ec6a0; --llm: #6f7a88; --warn: #ff9d5c; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 27px; line-height: 1.25; margin: 6px 0 20px; font-weight: 650; }
h2 { font-size: 18px; margin: 34px 0 10px; }
.quiet { color: var(--quiet); font-size: 13px; font-weight: 400; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; }
.tile { flex: 1 1 150px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.figure { font-size: 29px; font-weight: 650; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-size: 12.5px; color: var(--quiet); font-weight: 500; vertical-align: bottom; }
th, td { padding: 7px 10px 7px 0; }
td { border-top: 1px solid var(--line); vertical-align: top; }
tr.reason td { border-top: 0; padding: 0 10px 10px 0; color: var(--quiet); font-size: 13px; }
th.number, td.number { text-align: right; white-space: nowrap; }
.live { color: var(--slm); font-weight: 600; white-space: nowrap; }
.bar { display: block; width: 100%; min-width: 110px; height: 8px; margin-top: 4px; }
.chart { width: 100%; height: 130px; }
.axis { display: flex; justify-content: space-between; gap: 12px; color: var(--quiet); font-size: 13px; }
.key { display: inline-block; width: 10px; height: 10px; }
i.slm { background: var(--slm); } i.llm { background: var(--llm); }
rect.slm { fill: var(--slm); } rect.llm { fill: var(--llm); } rect.mark { fill: var(--ink); }
.warning { color: var(--warn); }
code { font-size: 13px; }
li { margin: 4px 0; }
@page { size: A4 landscape; margin: 14mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 9px; color: #667; } }
@media print { h2.evidence { break-before: page; } tr { break-inside: avoid; } main { padding: 0; max-width: none; } body { background: #fff; } .tile, table, .chart { break-inside: avoid; } }
)css";

}  // namespace understudy::s6

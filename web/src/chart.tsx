// A time or step chart (uPlot) in the page's colours: drawn anew when the size or the colours change.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { isPhone } from "./format";

export interface Line {
  label: string;
  values: (number | null)[];
  colour: string;  // a custom property: "--slm"
  bars?: boolean;
  fill?: boolean;
  axis?: "left" | "right";
  shown?: (index: number) => string;  // what the legend says where it is not the value
}

interface Props { x: number[]; lines: Line[]; label: string; height?: number; time?: boolean; xLabel?: string; axisLabel?: string; fit?: boolean; format?: (value: number) => string; formatRight?: (value: number) => string }

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const moment = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
// Days where ticks are days apart; else the time, and the day where it changes.
const ticksOf = (ticks: number[]): string[] => ticks.map((tick, index) => {
  const date = new Date(tick * 1000);
  if ((ticks[1] ?? tick) - ticks[0]! >= 86_000) return day.format(date);
  const before = index ? new Date(ticks[index - 1]! * 1000) : null;
  return before?.getDate() === date.getDate() ? clock.format(date) : `${clock.format(date)}\n${day.format(date)}`;
});

function options(props: Props, width: number): uPlot.Options {
  const format = props.format ?? ((value) => String(value));
  const quiet = colour("--quiet");
  const grid = { stroke: colour("--line"), width: 1 };
  const font = "12px Inter, system-ui, sans-serif";
  const right = props.lines.some((line) => line.axis === "right");
  const axis = { stroke: quiet, font, ticks: { show: false } };
  const bars = props.lines.some((line) => line.bars);  // each stands over the span that begins at its x
  return {
    width, height: props.height ?? 230,
    padding: [8, right ? 0 : 10, 0, 0],
    cursor: { points: { size: 7 }, y: false },
    legend: { live: !isPhone() },
    scales: { x: { time: props.time ?? true, ...(bars ? { range: (plot: uPlot, from: number, to: number): [number, number] => [from, to + ((plot.data[0][1] ?? 1) - (plot.data[0][0] ?? 0))] } : {}) }, y: { range: (_, low, high) => (props.fit ? [Math.max(0, low - 0.3 * (1 - low) - 0.02), 1] : [Math.min(0, low), high > 0 ? high * 1.08 : 1]) } },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: props.time === false ? 28 : 40, ...(props.axisLabel ? { label: props.axisLabel, labelFont: font, labelSize: 20 } : {}), ...(props.time === false ? {} : { values: (_: uPlot, ticks: number[]) => ticksOf(ticks) }) },
      { ...axis, grid, size: 58, values: (_, ticks) => ticks.map(format) },
      ...(right ? [{ ...axis, scale: "right", side: 1 as const, grid: { show: false }, size: 58, values: (_: uPlot, ticks: number[]) => ticks.map(props.formatRight ?? format) }] : []),
    ],
    series: [
      props.time === false ? { label: props.xLabel ?? "step", value: (_: uPlot, at: number | null) => (at == null ? "–" : String(Math.round(at))) } : { label: "when", value: (_: uPlot, at: number | null) => (at == null ? "–" : moment.format(new Date(at * 1000))) },
      ...props.lines.map((line): uPlot.Series => {
        const ink = colour(line.colour);
        const show = line.axis === "right" ? props.formatRight ?? format : format;
        return {
          label: line.label, stroke: ink, width: line.bars ? 0 : 2, points: { show: !line.bars && props.x.length < 9 },
          scale: line.axis === "right" ? "right" : "y",
          value: (_, value, __, index) => (value == null || index == null ? "–" : line.shown ? line.shown(index) : show(value)),
          ...(line.bars ? { paths: uPlot.paths.bars!({ size: [0.86, 40, 2], radius: 0.12, align: 1 }), fill: ink } : {}),
          ...(line.fill ? { fill: `color-mix(in srgb, ${ink} 14%, transparent)` } : {}),
        };
      }),
    ],
  };
}

export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const plot = useRef<uPlot | null>(null);
  const data = (): uPlot.AlignedData => [latest.current.x, ...latest.current.lines.map((line) => line.values)] as uPlot.AlignedData;

  useEffect(() => {
    const element = place.current!;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(latest.current, Math.max(220, element.clientWidth)), data(), element);
    };
    draw();
    let width = element.clientWidth;
    const sized = new ResizeObserver(() => {
      if (Math.abs(element.clientWidth - width) < 2) return;
      width = element.clientWidth;
      draw();
    });
    sized.observe(element);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      sized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", draw);
      plot.current?.destroy();
    };
  }, [props.lines.length, props.lines.map((line) => line.label).join()]);
  useEffect(() => plot.current?.setData(data()), [props.x, props.lines]);

  return <div class="chart" ref={place} role="img" aria-label={props.label} />;
}

// The task map: tasks as circles where S3 put them, some of their calls as dots. Zoom with the wheel or the buttons, drag
// to move; every circle is a link.
import { useEffect, useRef, useState } from "preact/hooks";
import { count, percent } from "./format";
import type { ListedTask } from "./types";

const side = 1000;
const lettersAcross = 20;  // of a name's longest line, about

interface View { x: number; y: number; size: number }
const whole: View = { x: 0, y: 0, size: side };

const radius = (task: ListedTask) => 16 + 74 * Math.sqrt(task.statistics.share_of_calls);
const tone = (task: ListedTask) => (task.policy && task.policy.mode !== "off" ? "slm" : task.evaluation?.verdict === "convert" ? "proven" : "llm");

function wrapped(name: string): string[] {
  const lines = [""];
  for (const word of name.split(" ")) {
    const last = lines[lines.length - 1]!;
    if (last && (last + word).length > 18) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines.length > 3 ? [...lines.slice(0, 2), `${lines[2]}…`] : lines;
}

interface Drawn { task: ListedTask; x: number; y: number; r: number; lines: string[]; text: { size: number; x: number; y: number } }
interface Box { left: number; right: number; top: number; bottom: number }
const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

// Where everything is drawn: circles and their words inside the map, the largest tasks first. Words that would cover
// those of a larger task are left out until there is room for them: zooming in makes it.
function drawn(tasks: ListedTask[], view: View, width: number): Drawn[] {
  const narrow = width < 520;
  const flat = narrow ? 1.25 : 0.62;
  const grown = narrow ? 1.5 : 1;
  const size = (narrow ? 11.5 : 12.5) * (side / width);
  const largest = grown * Math.max(0, ...tasks.map(radius));
  const beside = Math.max(largest, lettersAcross * 0.27 * size) + 8;
  const [top, bottom] = [largest + 10, largest + 5.6 * size];
  const across = (value: number) => beside + ((value + 1) / 2) * (side - 2 * beside);
  const down = (value: number) => top + ((value + 1) / 2) * (side * flat - top - bottom);
  const taken: Box[] = [];
  const zoomed = view.size / side;
  return [...tasks].sort((a, b) => b.statistics.share_of_calls - a.statistics.share_of_calls).map((task) => {
    const [x, y] = [across(task.map.x), down(task.map.y)];
    const r = radius(task) * Math.max(0.4, zoomed) * grown;
    const letters = size * zoomed;  // they keep their size on the screen
    const under = y + r + letters * 1.2;
    const box = (lines: string[]): Box => {
      const half = Math.max(4, ...lines.map((line) => line.length)) * 0.28 * letters;
      return { left: x - half, right: x + half, top: under - letters, bottom: under + lines.length * letters * 1.2 };
    };
    const named = wrapped(task.name);
    const lines = [named, []].find((some) => !taken.some((other) => overlap(other, box(some)))) ?? null;
    if (lines) taken.push(box(lines));
    return { task, x, y, r, lines: lines ?? [], text: { size: lines ? letters : 0, x, y: under } };
  });
}

export function TaskMap({ tasks, shown }: { tasks: ListedTask[]; shown: Set<string> }) {
  const [view, setView] = useState(whole);
  const drag = useRef<{ x: number; y: number; view: View; moved: boolean } | null>(null);
  const element = useRef<SVGSVGElement>(null);
  const zoom = (factor: number, at = { x: 0.5, y: 0.5 }) => setView((before) => {
    const size = Math.min(side * 1.2, Math.max(side / 12, before.size * factor));
    return { size, x: before.x + (before.size - size) * at.x, y: before.y + (before.size - size) * at.y };
  });
  const onWheel = (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;  // the page scrolls
    event.preventDefault();
    const box = element.current!.getBoundingClientRect();
    zoom(event.deltaY > 0 ? 1.15 : 0.87, { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height });
  };
  const onMove = (event: PointerEvent) => {
    const from = drag.current;
    if (!from) return;
    const scale = from.view.size / element.current!.clientWidth;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    from.moved ||= Math.abs(dx) + Math.abs(dy) > 4;
    if (from.moved) setView({ ...from.view, x: from.view.x - dx * scale, y: from.view.y - dy * scale });
  };
  const [width, setWidth] = useState(960);
  useEffect(() => {
    const sized = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width || 960));
    sized.observe(element.current!);
    return () => sized.disconnect();
  }, []);
  const pixel = view.size / width;
  const flat = width < 520 ? 1.25 : 0.62;  // height by width
  return (
    <div class="map">
      <div class="map-tools" role="group" aria-label="Zoom">
        <button type="button" aria-label="Zoom in" onClick={() => zoom(0.7)}>+</button>
        <button type="button" aria-label="Zoom out" onClick={() => zoom(1.4)}>−</button>
        <button type="button" aria-label="Show all" onClick={() => setView(whole)}>⤢</button>
      </div>
      <svg ref={element} viewBox={`${view.x} ${view.y} ${view.size} ${view.size * flat}`} onWheel={onWheel}
        onPointerDown={(event) => { drag.current = { x: event.clientX, y: event.clientY, view, moved: false }; }}
        onPointerMove={onMove} onPointerUp={() => setTimeout(() => { drag.current = null; })} onPointerLeave={() => { drag.current = null; }}>
        {drawn(tasks, view, width).map(({ task, x, y, r, lines, text }) => {
          // Its calls, as far apart as the circle has room: only their order means something.
          const reach = Math.max(1e-6, ...task.map.calls.map((call) => Math.hypot(call.x - task.map.x, call.y - task.map.y)));
          return (
            <a key={task.id} href={`#/tasks/${task.id}`} class={`place ${tone(task)} ${shown.has(task.id) ? "" : "dim"}`} draggable={false}
              aria-label={lines.length ? undefined : `${percent(task.statistics.share_of_calls, 0)} ${task.name}`}
              onClick={(event) => { if (drag.current?.moved) event.preventDefault(); }}>
              <title>{`${task.name}: ${count(task.statistics.calls)} calls, ${percent(task.statistics.share_of_calls)} of all`}</title>
              <circle cx={x} cy={y} r={r} />
              {task.map.calls.map((call) => (
                <circle key={call.call} class="dot" cx={x + ((call.x - task.map.x) / reach) * r * 0.84} cy={y + ((call.y - task.map.y) / reach) * r * 0.84} r={2.1 * pixel} />
              ))}
              {text.size > 0 && <text x={text.x} y={text.y} font-size={text.size} class="share-text">{percent(task.statistics.share_of_calls, 0)}</text>}
              {lines.length > 0 && (
                <text x={text.x} y={text.y + text.size * 1.2} font-size={text.size}>
                  {lines.map((line, index) => <tspan key={line + index} x={text.x} dy={index ? text.size * 1.15 : 0}>{line}{" "}</tspan>)}
                </text>
              )}
            </a>
          );
        })}
      </svg>
      <p class="legend quiet">
        <span class="nowrap"><i class="swatch slm" /> a small model answers</span> <span class="nowrap"><i class="swatch proven" /> proven, not live</span> <span class="nowrap"><i class="swatch llm" /> the LLM answers</span>
        <span class="wide-only">· hold Ctrl and scroll to zoom, drag to move</span>
      </p>
    </div>
  );
}

// The task map: tasks as circles where S3 put them, some of their calls as dots. Zoom with the wheel or the buttons, drag
// to move; every circle is a link.
import { useEffect, useRef, useState } from "preact/hooks";
import { count, percent } from "./format";
import type { ListedTask } from "./types";

const side = 1000;
const place = (value: number) => side / 2 + value * 370;

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
  const detail = view.size / side;
  const pixel = view.size / width;  // letters and dots keep their size on the screen
  const flat = width < 520 ? 1 : 0.62;  // height by width
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
        {tasks.map((task) => {
          const lines = wrapped(task.name);
          const size = 12.5 * pixel;
          const r = radius(task) * Math.max(0.4, detail) * (width < 520 ? 1.5 : 1);
          const [x, y] = [place(task.map.x), place(task.map.y) * flat];
          const below = y + r + size * 1.2;
          // Its calls, as far apart as the circle has room: only their order means something.
          const reach = Math.max(1e-6, ...task.map.calls.map((call) => Math.hypot(call.x - task.map.x, call.y - task.map.y)));
          return (
            <a key={task.id} href={`#/tasks/${task.id}`} class={`place ${tone(task)} ${shown.has(task.id) ? "" : "dim"}`} draggable={false}
              onClick={(event) => { if (drag.current?.moved) event.preventDefault(); }}>
              <title>{`${task.name}: ${count(task.statistics.calls)} calls, ${percent(task.statistics.share_of_calls)} of all`}</title>
              <circle cx={x} cy={y} r={r} />
              {task.map.calls.map((call) => (
                <circle key={call.call} class="dot" cx={x + ((call.x - task.map.x) / reach) * r * 0.84} cy={y + ((call.y - task.map.y) / reach) * r * 0.84} r={2.1 * pixel} />
              ))}
              <text x={x} y={below} font-size={size} class="share-text">{percent(task.statistics.share_of_calls, 0)}</text>
              <text x={x} y={below + size * 1.2} font-size={size}>
                {lines.map((line, index) => <tspan key={line + index} x={x} dy={index ? size * 1.15 : 0}>{line}{" "}</tspan>)}
              </text>
            </a>
          );
        })}
      </svg>
      <p class="legend quiet">
        <i class="swatch slm" /> a small model answers <i class="swatch proven" /> proven, not live <i class="swatch llm" /> the LLM answers
        <span class="wide-only">· hold Ctrl and scroll to zoom, drag to move</span>
      </p>
    </div>
  );
}

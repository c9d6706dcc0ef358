import { useMemo } from "preact/hooks";
import { Chart } from "./chart";
import { percent } from "./format";
import type { CurvePoint } from "./types";

// Loss and exact answers on the validation split while a model is trained.
export function Curve({ points }: { points: CurvePoint[] }) {
  const x = useMemo(() => points.map((point, index) => point.step ?? index), [points]);
  const lines = useMemo(() => {
    const of = (name: keyof CurvePoint) => points.map((point) => (typeof point[name] === "number" ? point[name] as number : null));
    return [
      { label: "training loss", colour: "--llm-ink", values: of("train_loss") },
      { label: "validation loss", colour: "--warn", values: of("validation_loss") },
      { label: "right on validation", colour: "--slm", values: of("validation_exact"), axis: "right" as const },
    ].filter((line) => line.values.some((value) => value !== null));
  }, [points]);
  return <Chart x={x} lines={lines} time={false} height={210} label="Training curve: loss and share of exact answers by step" format={(value) => value.toFixed(2)} formatRight={(value) => percent(value, 0)} />;
}

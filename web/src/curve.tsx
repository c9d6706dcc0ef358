import { useMemo } from "preact/hooks";
import { Chart } from "./chart";
import { count, percent } from "./format";
import type { CurvePoint, LearningPoint } from "./types";

// Agreement with the LLM by the number of training examples, on training calls that were held out: would more calls help?
export function LearningCurve({ points }: { points: LearningPoint[] }) {
  const x = useMemo(() => points.map((point) => point.examples), [points]);
  const lines = useMemo(() => [{ label: "agreement", colour: "--slm", values: points.map((point) => point.agreed / point.asked),
    shown: (i: number) => `${percent(points[i]!.agreed / points[i]!.asked)}, ${count(points[i]!.agreed)} of ${count(points[i]!.asked)}` }], [points]);
  const words = points.map((point) => `${count(point.examples)} examples: ${percent(point.agreed / point.asked)}`).join(", ");
  return (
    <>
      <h3>Learning curve <span class="quiet">agreement on {count(points[0]!.asked)} training calls that were held out</span></h3>
      <Chart x={x} lines={lines} time={false} fit height={190} xLabel="training examples" axisLabel="training examples" label={`Learning curve: ${words}`} format={(value) => percent(value, 0)} />
    </>
  );
}

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

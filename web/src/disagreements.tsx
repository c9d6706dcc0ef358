// Where the small model and the LLM disagree: how sure it must be for how much agreement, what is confused, and the calls.
import { useMemo, useState } from "preact/hooks";
import { Chart } from "./chart";
import { count, percent } from "./format";
import { useResource } from "./live";
import { may } from "./session";
import type { Disagreements as Facts } from "./types";
import { Await, Badge, Card, Scroll } from "./ui";

function TradeOff({ facts }: { facts: Facts }) {
  const x = useMemo(() => facts.curve.map((point) => 100 * point.coverage), [facts]);
  const lines = useMemo(() => [{ label: "agreement", colour: "--slm", fill: true, values: facts.curve.map((point) => point.agreement), shown: (i: number) => `${percent(facts.curve[i]!.agreement)} from confidence ${facts.curve[i]!.threshold.toFixed(3)}` }], [facts]);
  return <Chart x={x} lines={lines} time={false} fit xLabel="calls kept, %" axisLabel="share of calls that the model keeps, %" label="Agreement with the LLM by the share of calls that the model keeps" height={190} format={(value) => percent(value, 0)} />;
}

// Rows: what the LLM said. A mistake is as dark as it is frequent among the answers of its row.
function Confusion({ facts }: { facts: Facts }) {
  const names = [...new Set(facts.confusion.flatMap((entry) => [entry.teacher, entry.student]))].sort();
  if (names.length < 2 || names.length > 24) return null;
  const calls = new Map(facts.confusion.map((entry) => [`${entry.teacher}\n${entry.student}`, entry.calls]));
  return (
    <div>
      <h3>Confusion <span class="quiet">rows: the LLM, columns: the model</span></h3>
      <Scroll label="Confusion" grid>
        <table class="confusion">
          <thead><tr><th><span class="visually-hidden">the LLM said</span></th>{names.map((name) => <th key={name} scope="col"><span>{name}</span></th>)}</tr></thead>
          <tbody>
            {names.map((teacher) => {
              const sum = names.reduce((total, student) => total + (calls.get(`${teacher}\n${student}`) ?? 0), 0);
              return (
                <tr key={teacher}><th scope="row">{teacher}</th>
                  {names.map((student) => {
                    const here = calls.get(`${teacher}\n${student}`) ?? 0;
                    const strength = sum && here ? Math.max(1, Math.min(4, Math.ceil((4 * here) / sum))) : 0;
                    return <td key={student} class={here ? `${teacher === student ? "right" : "wrong"}-${strength}` : ""}>{here || ""}</td>;
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}

export function Disagreements({ id }: { id: string }) {
  const [wanted, setWanted] = useState(false);
  const found = useResource<Facts>(wanted ? `/api/tasks/${id}/disagreements` : null);
  return (
    <Card title="Disagreements" note="on calibration calls; the test calls stay unseen">
      {!may("curator") ? <p class="quiet">Content needs a curator's token.</p> : !wanted ? (
        <p><button type="button" onClick={() => setWanted(true)}>Ask the model again</button> <span class="quiet">Takes seconds. This look is written into the audit trail.</span></p>
      ) : (
        <Await of={found}>
          {(facts) => (
            <>
              <p>Of {count(facts.calls)} calls it keeps {count(facts.kept)}, and agrees on {count(facts.agreed)} of them.</p>
              <div class="columns tight">
                {facts.curve.length > 1 && <div><h3>Agreement by coverage</h3><TradeOff facts={facts} /></div>}
                <Confusion facts={facts} />
              </div>
              {facts.disagreements.length > 0 && (
                <Scroll label="Disagreements">
                  <table class="dense">
                    <thead><tr><th>call</th><th>the LLM</th><th>the model</th><th class="number">confidence</th><th>kept</th></tr></thead>
                    <tbody>
                      {facts.disagreements.map((one, index) => (
                        <tr key={index}><td class="slots">{one.slots.join(" · ")}</td><td><pre>{one.teacher}</pre></td><td><pre>{one.student}</pre></td>
                          <td class="number">{one.confidence.toFixed(3)}</td><td>{one.kept ? <Badge tone="warn">kept</Badge> : <Badge tone="plain">to the LLM</Badge>}</td></tr>
                      ))}
                    </tbody>
                  </table>
                </Scroll>
              )}
            </>
          )}
        </Await>
      )}
    </Card>
  );
}

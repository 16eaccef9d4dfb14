import type { ComponentChildren } from "preact";
import type { Schemas } from "../../api/client";
import { bytes } from "../../parts/duration";
import { Time } from "../../parts/Time";

type Found = Schemas["OperatorOverview"];

/** All of the overview: what goes on now, then the last hour. */
export function Figures({ found }: { found: Found }) {
  const { queue, sessions, workers } = found;
  const { last_hour: hour } = found;
  return (
    <>
      <div class="figures">
        <Card title="Queue">
          <Figure name="Waiting" value={queue.waiting} wrong={queue.waiting > 0 && workers.slots === 0} />
          <Figure name="Oldest waits" value={seconds(queue.oldest_wait_seconds)} />
          <Figure name="For later" value={queue.scheduled} />
        </Card>
        <Card title="Slots">
          <Figure name={`of ${workers.slots} used`} value={workers.slots_used} />
          <meter min={0} max={Math.max(workers.slots, 1)} high={workers.slots * 0.9} value={workers.slots_used} aria-label="Slots used" />
        </Card>
        <Card title="Sessions now">
          <Figure name="Joining" value={sessions.starting} />
          <Figure name="Recording" value={sessions.running} />
          <Figure name="Paused" value={sessions.paused} />
          <Figure name="Finishing" value={sessions.ending} />
        </Card>
        <Card title="Processes">
          <Figure name="Recorders" value={workers.processes.recorders} wrong={workers.processes.recorders === 0} />
          <Figure name="Jobs" value={workers.processes.jobs} />
          <Figure name="Webhooks" value={workers.processes.webhooks} />
          <Figure name="API" value={workers.processes.api} />
        </Card>
        <Storage storage={found.storage} />
        <Card title="Last hour">
          <Figure name="Made" value={hour.created} />
          <Figure name="Ended" value={hour.ended} />
          <Figure name="Failed" value={hour.failed} wrong={hour.failed > 0} />
          <Figure name="Canceled" value={hour.canceled} />
          <Figure name="With gaps of ours" value={hour.incomplete_recordings} wrong={hour.incomplete_recordings > 0} />
        </Card>
        <Card title="Wait for a worker, last hour">
          <Figure name="Half within" value={seconds(hour.wait_median_seconds)} />
          <Figure name="95 % within" value={seconds(hour.wait_p95_seconds)} />
          <Figure name="Longest" value={seconds(hour.wait_most_seconds)} />
        </Card>
        <Card title="Failures by fault, last hour">
          {(Object.entries(hour.faults) as [string, number][]).filter(([fault]) => fault !== "none").map(([fault, count]) => (
            <Figure key={fault} name={FAULT_NAMES[fault] ?? fault} value={count} wrong={fault === "platform" && count > 0} />
          ))}
        </Card>
      </div>
      {hour.failures.length > 0 && <Failures failures={hour.failures} />}
      {workers.hosts.length > 0 && <Hosts hosts={workers.hosts} />}
      <Jobs jobs={found.jobs} />
      <p class="soft small">Parley {found.version} · as of <Time at={found.as_of} style="clock" /></p>
    </>
  );
}

const FAULT_NAMES: Record<string, string> = { customer: "The customer's", transport: "The room's", platform: "Ours", none: "Nobody's" };

function Card({ title, children }: { title: string; children: ComponentChildren }) {
  return <section class="card" aria-label={title}><h2>{title}</h2><div class="sums">{children}</div></section>;
}

function Figure({ name, value, wrong = false }: { name: string; value: number | string; wrong?: boolean }) {
  return <div class="figure"><span class="soft small">{name}</span><strong class={wrong ? "wrong" : ""}>{value.toLocaleString()}</strong></div>;
}

function Storage({ storage }: { storage: Found["storage"] }) {
  return (
    <Card title="Storage">
      <Figure name={storage.local ? "A folder" : "Object storage"} value={storage.status === "ok" ? "answers" : "is away"} wrong={storage.status !== "ok"} />
      {storage.free_bytes !== null && <Figure name="Free" value={bytes(storage.free_bytes)} />}
      <Figure name="Runs to upload" value={storage.unsealed_runs} />
      <Figure name="Erasures to do" value={storage.erasures} wrong={storage.failing_erasures > 0} />
      {storage.troubles.map((trouble) => <p key={trouble} class="wrong">{trouble.replaceAll("`", "")}</p>)}
    </Card>
  );
}

function Failures({ failures }: { failures: Found["last_hour"]["failures"] }) {
  return (
    <Table title="What failed, last hour" heads={["Code", "Sessions", "Whose fault"]}>
      {failures.map((one) => (
        <tr key={one.code}>
          <td><code>{one.code}</code></td>
          <td class="number">{one.sessions}</td>
          <td class="number">{FAULT_NAMES[one.fault] ?? one.fault}</td>
        </tr>
      ))}
    </Table>
  );
}

function Hosts({ hosts }: { hosts: Found["workers"]["hosts"] }) {
  return (
    <Table title="Hosts that record" heads={["Host", "Processes", "Sessions", "Oldest beat"]}>
      {hosts.map((one) => (
        <tr key={one.host}>
          <td>{one.host}</td>
          <td class="number">{one.processes}</td>
          <td class="number">{one.sessions}</td>
          <td class="number">{seconds(one.oldest_beat_seconds)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Jobs({ jobs }: { jobs: Found["jobs"] }) {
  if (jobs.length === 0) return <p class="soft">No job waits, runs or has failed.</p>;
  return (
    <Table title="Jobs" heads={["Job", "Waiting", "Running", "Failed, last hour", "Oldest waits"]}>
      {jobs.map((one) => (
        <tr key={one.name}>
          <td><code>{one.name}</code></td>
          <td class="number">{one.waiting}</td>
          <td class="number">{one.running}</td>
          <td class={one.failed ? "number wrong" : "number"}>{one.failed}</td>
          <td class="number">{seconds(one.oldest_wait_seconds)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Table({ title, heads, children }: { title: string; heads: string[]; children: ComponentChildren }) {
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, table`}>
        <table class="list">
          <thead><tr>{heads.map((head, at) => <th key={head} scope="col" class={at ? "number" : ""}>{head}</th>)}</tr></thead>
          <tbody>{children}</tbody>
        </table>
      </div>
    </section>
  );
}

function seconds(value: number | null): string {
  if (value === null) return "–";
  return value < 100 ? `${value.toFixed(value < 10 ? 1 : 0)} s` : `${Math.round(value / 60)} min`;
}

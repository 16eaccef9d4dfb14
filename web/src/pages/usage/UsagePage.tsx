import { useEffect } from "preact/hooks";
import { answer, api, type Schemas } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";
import { exact } from "../../parts/duration";
import { Problem } from "../../parts/Problem";
import { Time } from "../../parts/Time";
import { DayChart } from "./DayChart";
import { Export } from "./Export";
import { chosen, choose, GROUPS, MONTHS, TIME_ZONE } from "./choice";
import { Verification } from "./Verification";
import "./usage.css";

const EVERY_MS = 60_000;
const MOST_GROUPS = 1000;

type Report = Schemas["UsageReport"];

/** What a month adds up to, day by day and by whom. */
export function UsagePage() {
  useEffect(() => void (document.title = "Usage · Parley"), []);
  const { data, problem, again } = useLoaded(
    async (signal) => {
      const { period, group } = chosen.value;
      const ask = (group_by: Report["group_by"]) => {
        const query = { period, group_by: group_by ?? "day", time_zone: TIME_ZONE, limit: MOST_GROUPS };
        return answer(api.GET("/v1/usage", { params: { query }, signal }));
      };
      const [days, groups] = await Promise.all([ask("day"), group === "day" ? null : ask(group)]);
      return { days, groups: groups ?? days };
    },
    () => EVERY_MS,
  );
  const found = data.value;
  return (
    <>
      <div class="heading">
        <h1>Usage</h1>
        <Export />
      </div>
      <form class="filters usage-choice" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>Period</span>
          <select value={chosen.value.period} onChange={(event) => choose("period", event.currentTarget.value)}>
            {Object.entries(MONTHS).map(([value, name]) => <option key={value} value={value}>{name}</option>)}
          </select>
        </label>
        <label>
          <span>By</span>
          <select value={chosen.value.group} onChange={(event) => choose("by", event.currentTarget.value)}>
            {Object.entries(GROUPS).map(([value, name]) => <option key={value} value={value}>{name}</option>)}
          </select>
        </label>
      </form>
      {problem.value && <Problem refusal={problem.value} again={again} />}
      {!found && !problem.value && <p class="soft" aria-busy="true">Loading …</p>}
      {found && (
        <>
          <Totals report={found.days} />
          <Verification />
          {found.days.groups.length > 0 ? <DayChart report={found.days} /> : <p class="empty soft">Nothing was billed in this period.</p>}
          {found.groups.groups.length > 0 && <GroupTable report={found.groups} />}
        </>
      )}
    </>
  );
}

function Totals({ report }: { report: Report }) {
  const { period, totals } = report;
  return (
    <section class="card" aria-label="Sums">
      <dl class="sums">
        <div><dt>Credits</dt><dd>{totals.credits}</dd></div>
        <div><dt>Billed time</dt><dd>{exact(totals.milliseconds)}</dd></div>
        <div><dt>Rows of the bill</dt><dd>{totals.events.toLocaleString()}</dd></div>
      </dl>
      <p class="soft small">
        <Time at={period.start} style="long" /> to <Time at={period.end} style="long" />, {period.time_zone}.{" "}
        {period.complete ? "The period is over: these sums never change." : <>Bills are added up to <Time at={period.as_of} style="clock" />; the newest half minute comes in then.</>}{" "}
        The sums are added up from the rows of the bill alone, which the export has; each session's page has its receipt.
      </p>
    </section>
  );
}

function GroupTable({ report }: { report: Report }) {
  const by = report.group_by ?? "day";
  return (
    <div class="scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">{GROUPS[by]}</th>
            <th scope="col" class="number">Billed time</th>
            <th scope="col" class="number">Credits</th>
            <th scope="col" class="number usage-rows">Rows</th>
          </tr>
        </thead>
        <tbody>
          {report.groups.map((group) => (
            <tr key={group.value ?? ""}>
              <th scope="row" class="usage-value">{group.value ?? <span class="soft">none</span>}</th>
              <td class="number">{exact(group.milliseconds)}</td>
              <td class="number">{group.credits}</td>
              <td class="number usage-rows">{group.events.toLocaleString()}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {report.has_more && <p class="soft small">The first {MOST_GROUPS.toLocaleString()} are shown; the API has the rest.</p>}
    </div>
  );
}

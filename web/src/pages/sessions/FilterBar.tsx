import { STATUS_WORDS } from "../../parts/Status";
import { go } from "../../routing";
import { type Filter, filterBy, filters } from "./filters";

const TEXTS: [Filter, string, string][] = [
  ["agent_id", "Agent", "agent id"],
  ["external_customer_id", "Customer", "your customer's id"],
  ["tag", "Tag", "one tag"],
];

/** What the list is narrowed to. */
export function FilterBar() {
  return (
    <form class="filters" role="search" aria-label="Filter sessions" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>Status</span>
        <select value={filters.value.status ?? ""} onChange={(event) => filterBy("status", event.currentTarget.value)}>
          <option value="">Any</option>
          {Object.entries(STATUS_WORDS).map(([word, name]) => <option key={word} value={word}>{name}</option>)}
        </select>
      </label>
      {TEXTS.map(([name, label, placeholder]) => (
        <label key={name}>
          <span>{label}</span>
          <input
            type="search"
            placeholder={placeholder}
            value={filters.value[name] ?? ""}
            onChange={(event) => filterBy(name, event.currentTarget.value.trim())}
          />
        </label>
      ))}
      <label>
        <span>From</span>
        <input
          type="date"
          value={dayOf(filters.value.created_after)}
          onChange={(event) => filterBy("created_after", midnight(event.currentTarget.value))}
        />
      </label>
      {Object.keys(filters.value).length > 0 && (
        <button type="button" class="quiet" onClick={() => go("sessions", { replace: true })}>Clear filters</button>
      )}
    </form>
  );
}

function midnight(day: string): string {
  return day ? new Date(`${day}T00:00:00`).toISOString() : "";
}

function dayOf(time: string | undefined): string {
  if (!time) return "";
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

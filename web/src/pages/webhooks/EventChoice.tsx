import type { Signal } from "@preact/signals";
import { answer, api, type Schemas } from "../../api/client";
import { useLoaded } from "../../api/useLoaded";

/** Which events: all that there are and will be, or families of them, or single ones. */
export function EventChoice({ types }: { types: Signal<string[]> }) {
  const { data } = useLoaded((signal) => answer(api.GET("/v1/event_types", { signal })), () => null);
  const all = types.value.includes("*");
  return (
    <fieldset>
      <legend>Events</legend>
      <label><input type="radio" name="events" checked={all} onChange={() => (types.value = ["*"])} /> all, also types that are added later</label>
      <label><input type="radio" name="events" checked={!all} onChange={() => (types.value = ["session.*"])} /> these</label>
      {!all && families(data.value?.data ?? []).map(([family, members]) => <Family key={family} family={family} members={members} types={types} />)}
    </fieldset>
  );
}

function Family({ family, members, types }: { family: string; members: Schemas["EventTypeEntry"][]; types: Signal<string[]> }) {
  const every = `${family}.*`;
  const whole = types.value.includes(every);
  const chosen = members.filter((one) => types.value.includes(one.type)).length;

  function turn(type: string, on: boolean) {
    types.value = on ? [...types.value, type] : types.value.filter((one) => one !== type);
  }

  function turnWhole(on: boolean) {
    const others = types.value.filter((one) => !one.startsWith(`${family}.`));
    types.value = on ? [...others, every] : others;
  }

  return (
    <details class="family" open={chosen > 0}>
      <summary>
        <label><input type="checkbox" checked={whole} onChange={(event) => turnWhole(event.currentTarget.checked)} /> <code>{every}</code></label>
        {!whole && chosen > 0 && <span class="soft small"> {chosen} of {members.length}</span>}
      </summary>
      {members.map((one) => (
        <label key={one.type}>
          <input type="checkbox" disabled={whole} checked={whole || types.value.includes(one.type)} onChange={(event) => turn(one.type, event.currentTarget.checked)} />{" "}
          <code>{one.type}</code> <span class="soft small">{one.description}</span>
        </label>
      ))}
    </details>
  );
}

/** The part before the dot → its types, in the API's order. */
function families(entries: Schemas["EventTypeEntry"][]): [string, Schemas["EventTypeEntry"][]][] {
  const found = new Map<string, Schemas["EventTypeEntry"][]>();
  for (const entry of entries) {
    const family = entry.type.split(".")[0]!;
    found.set(family, [...(found.get(family) ?? []), entry]);
  }
  return [...found];
}

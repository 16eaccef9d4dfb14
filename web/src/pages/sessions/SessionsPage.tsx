import { useEffect } from "preact/hooks";
import { answer, api } from "../../api/client";
import { useFollowed } from "../../api/useFollowed";
import { Problem } from "../../parts/Problem";
import { isLive } from "../../parts/Status";
import { go, href } from "../../routing";
import { FilterBar } from "./FilterBar";
import { cursor, filters, pageAfter } from "./filters";
import { SessionRow } from "./SessionRow";

// While no stream tells what happens.
const LIVE_MS = 2000;
const QUIET_MS = 10_000;
const STREAM = "v1/events/stream?types=session.*,participant.*,recording.*";
const ROWS = 25;

/** All sessions, newest first; what goes on changes as one looks. */
export function SessionsPage() {
  useEffect(() => void (document.title = "Sessions · Parley"), []);
  const { data, problem, again } = useFollowed(
    (signal) => {
      // The reader's words: what the API does not take, it says.
      const query = { ...filters.value, limit: ROWS, expand: "participants", ...(cursor.value ? { starting_after: cursor.value } : {}) } as object;
      return answer(api.GET("/v1/sessions", { params: { query }, signal }));
    },
    (list) => (list === null ? null : STREAM),
    (list) => (list?.data.some((session) => isLive(session.status)) ? LIVE_MS : QUIET_MS),
  );
  const list = data.value;
  return (
    <>
      <div class="heading">
        <h1>Sessions</h1>
        <a class="button primary" href={href("talk")}>New recording</a>
      </div>
      <FilterBar />
      {problem.value && <Problem refusal={problem.value} again={again} />}
      {list === null && !problem.value && <p class="soft" aria-busy="true">Loading …</p>}
      {list && list.data.length === 0 && <Nothing />}
      {list && list.data.length > 0 && (
        <div class="scroll">
          <table class="list" onKeyDown={moveByKeys}>
            <thead>
              <tr>
                <th scope="col">Session</th>
                <th scope="col">Status</th>
                <th scope="col" class="number cell-length">Length</th>
                <th scope="col" class="cell-spoke">Who spoke</th>
                <th scope="col" class="cell-who">Customer or agent</th>
                <th scope="col" class="number cell-made">Made</th>
              </tr>
            </thead>
            <tbody>
              {list.data.map((session) => <SessionRow key={session.id} session={session} />)}
            </tbody>
          </table>
        </div>
      )}
      <nav class="pager" aria-label="Pages of the list">
        {cursor.value && <a class="button" href={href(pageAfter(null))}>Newest</a>}
        {list?.has_more && list.next_cursor && (
          <button onClick={() => go(pageAfter(list.next_cursor))}>Older</button>
        )}
      </nav>
    </>
  );
}

function Nothing() {
  const narrowed = Object.keys(filters.value).length > 0 || cursor.value;
  return (
    <div class="empty">
      <h2>{narrowed ? "No session is like that" : "No sessions yet"}</h2>
      {narrowed ? (
        <p class="soft">Try fewer filters.</p>
      ) : (
        <p class="soft">
          <a href={href("talk")}>Talk</a> records you from this browser. <a href={href("docs")}>The API</a> records any
          LiveKit room: <code>POST /v1/sessions</code>.
        </p>
      )}
    </div>
  );
}

/** Arrow keys (or j and k) go from session to session. */
function moveByKeys(event: KeyboardEvent) {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (!step) return;
  const links = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLAnchorElement>(".cell-title a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  links[Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
  event.preventDefault();
}

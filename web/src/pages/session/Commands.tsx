import { useSignal } from "@preact/signals";
import { answer, api, Refusal, type Schemas } from "../../api/client";
import { isLive } from "../../parts/Status";

type Command = "pause" | "resume" | "end" | "cancel";

const WORDS: Record<Command, string> = { pause: "Pause", resume: "Resume", end: "End", cancel: "Cancel" };
const HELP: Record<Command, string> = {
  pause: "Nothing is recorded, stored or billed until it is resumed.",
  resume: "Recording goes on.",
  end: "Recording stops when what is on its way has arrived. It is kept.",
  cancel: "Recording stops at once, whatever is on its way. What was recorded is kept.",
};

/** What can be done to the session now. */
export function Commands({ session, done, refused }: {
  session: Schemas["SessionResource"];
  done: () => void;
  refused: (refusal: Refusal) => void;
}) {
  const busy = useSignal<Command | null>(null);
  const sure = useSignal(false);

  async function run(command: Command) {
    if (command === "cancel" && !sure.value) return void (sure.value = true);
    busy.value = command;
    const init = { params: { path: { session_id: session.id } }, body: {} };
    try {
      if (command === "pause") await answer(api.POST("/v1/sessions/{session_id}/pause", init));
      if (command === "resume") await answer(api.POST("/v1/sessions/{session_id}/resume", init));
      if (command === "end") await answer(api.POST("/v1/sessions/{session_id}/end", init));
      if (command === "cancel") await answer(api.POST("/v1/sessions/{session_id}/cancel", init));
      done();
    } catch (error) {
      if (error instanceof Refusal) refused(error);
    } finally {
      busy.value = null;
      sure.value = false;
    }
  }

  return (
    <div class="row">
      {possible(session.status).map((command) => (
        <button
          key={command}
          class={command === "end" ? "primary" : command === "cancel" ? "danger" : ""}
          title={HELP[command]}
          disabled={busy.value !== null}
          onClick={() => run(command)}
          onBlur={() => (sure.value = false)}
        >
          {command === "cancel" && sure.value ? "Really cancel?" : WORDS[command]}
        </button>
      ))}
    </div>
  );
}

function possible(status: Schemas["SessionResource"]["status"]): Command[] {
  if (!isLive(status) || status === "ending") return [];
  if (status === "running") return ["pause", "end", "cancel"];
  if (status === "paused") return ["resume", "end", "cancel"];
  return ["cancel"];
}

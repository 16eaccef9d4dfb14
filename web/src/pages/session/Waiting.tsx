import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../../api/client";
import { clock } from "../../parts/duration";
import { Time } from "../../parts/Time";
import type { Presence } from "./presence";

/** Who comes is told a second late: so long nothing is said. */
const TOLD_MS = 2500;

/** That nobody is in the room, while nobody is. */
export function Waiting({ session, presence }: { session: Schemas["SessionResource"]; presence: Presence }) {
  const nobody = presence.nobody(session);
  const now = useSignal(Date.now());
  useEffect(() => {
    if (!nobody) return;
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, [nobody?.since]);
  if (!nobody) return null;
  const ms = now.value - Date.parse(nobody.since);
  if (ms < TOLD_MS) return null;
  const wanted = session.transport?.type === "livekit" ? session.transport.subscribe_to_identity : null;
  return (
    <p class="notice waiting">
      <span role="status">
        {nobody.came ? `${wanted ?? "Everybody"} has left the room` : `Waiting for ${wanted ?? "somebody"} to join`}
        {" since "}<Time at={nobody.since} style="clock" />
      </span>
      {" "}({clock(ms)}). <span class="soft">The time in which nobody is there costs nothing.</span>
    </p>
  );
}

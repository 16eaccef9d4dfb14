import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Refusal } from "../../api/client";
import { Problem } from "../../parts/Problem";
import { type Access, forgetAccess, keptAccess, mayTalkTo, goWith } from "./access";
import { AccessForm } from "./AccessForm";
import { begin, type Conversation, goOn, leftBehind } from "./conversation";
import { lookForMicrophones } from "./devices";
import { LeftBehind } from "./LeftBehind";
import { MicrophoneChoice } from "./MicrophoneChoice";
import { Talking } from "./Talking";
import "./talk.css";

/** One button: a room, a microphone in it, and a session that records it. */
export function TalkPage() {
  const access = keptAccess();
  useEffect(() => {
    document.title = "Talk · Parley";
    if (access && !mayTalkTo(access.url)) goWith(access);
  }, []);
  return (
    <>
      <div class="heading"><h1>Talk</h1></div>
      {!access && <AccessForm />}
      {access && mayTalkTo(access.url) && <Stage access={access} />}
    </>
  );
}

function Stage({ access }: { access: Access }) {
  const conversation = useSignal<Conversation | null>(null);
  const busy = useSignal(false);
  const refusal = useSignal<Refusal | null>(null);
  const trouble = useSignal<string | null>(null);
  const processed = useSignal(true);
  const device = useSignal("");

  const left = leftBehind();

  useEffect(() => void lookForMicrophones(), []);

  function failed(error: unknown) {
    if (error instanceof Refusal) refusal.value = error;
    else trouble.value = inWords(error);
  }

  async function start(joining: () => Promise<Conversation>) {
    busy.value = true;
    refusal.value = trouble.value = null;
    try {
      conversation.value = await joining();
      await lookForMicrophones();
    } catch (error) {
      failed(error);
    } finally {
      busy.value = false;
    }
  }

  const troubles = (
    <>
      {refusal.value && <Problem refusal={refusal.value} />}
      {trouble.value && <p class="problem" role="alert">{trouble.value}</p>}
    </>
  );
  if (conversation.value) return <>{troubles}<Talking conversation={conversation.value} device={device} failed={failed} /></>;
  return (
    <section class="card stage">
      {!navigator.mediaDevices && (
        <p class="notice">Browsers give a microphone only to pages of https or of this machine (http://localhost).</p>
      )}
      {troubles}
      {left && (
        <LeftBehind left={left} busy={busy.value} failed={failed}
          goOn={() => start(() => goOn(left, access, device.value, processed.value))} />
      )}
      <button class="primary big" onClick={() => start(() => begin(access, device.value, processed.value))} disabled={busy.value || !navigator.mediaDevices}>
        {busy.value ? "Joining …" : "Start talking"}
      </button>
      <p class="soft">Joins a new room on <code>{access.url}</code>, and records it. Stop leads to what you have said.</p>
      <div class="row options">
        <MicrophoneChoice chosen={device.value} choose={(id) => (device.value = id)} />
        <label class="choice">
          <input type="checkbox" checked={processed.value} onChange={(event) => (processed.value = event.currentTarget.checked)} />
          {" "}Let the browser take out echo and noise
        </label>
      </div>
      <p class="small"><button class="quiet small" onClick={forgetAccess}>Another server</button></p>
    </section>
  );
}

function inWords(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return "The browser was not allowed to use the microphone. Allow it at the address bar, then try again.";
  if (name === "NotFoundError") return "There is no microphone.";
  if (name === "NotReadableError") return "The microphone is used by another program.";
  return `The room could not be joined: ${error instanceof Error ? error.message : String(error)}`;
}

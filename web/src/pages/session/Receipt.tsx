import type { ComponentChildren } from "preact";
import type { Schemas } from "../../api/client";
import { codeEntry } from "../../api/codes";
import { exact } from "../../parts/duration";
import { sentence } from "../../parts/sentence";
import { gapName } from "./playback/regions";

/** What the session costs, and why: the clock, what was heard, what was missing, what is billed. */
export function Receipt({ receipt }: { receipt: Schemas["Receipt"] }) {
  const { billed, clock, recording } = receipt;
  const most = Math.max(clock.milliseconds ?? 0, billed.counted_ms, recording.milliseconds ?? 0, 1);
  return (
    <section class="card" aria-labelledby="receipt-title">
      <h2 id="receipt-title">Receipt</h2>
      <table class="receipt">
        <tbody>
          <Row name="Session clock" ms={clock.milliseconds} most={most} />
          <Row name="Recording" ms={recording.milliseconds} most={most} />
          {receipt.heard.map((one) => (
            <Row key={one.identity + one.name} name={<>Received: <span title={one.identity}>{one.participant_name ?? one.identity}</span> <span class="soft">{one.name}</span></>} ms={one.milliseconds} most={most} />
          ))}
          {receipt.gaps.map((gap) => (
            <Row key={gap.code} name={<span title={`${codeEntry(gap.code)?.help ?? ""} (${gap.code})`}>{gapName(gap.code)}</span>} ms={gap.milliseconds} most={most} note={gap.credited_ms ? `${exact(gap.credited_ms)} given back` : undefined} />
          ))}
          {receipt.absences.milliseconds > 0 && <Row name="Nobody there" ms={receipt.absences.milliseconds} most={most} note={`${exact(receipt.absences.credited_ms)} given back`} />}
          <Row name="Counted" ms={billed.counted_ms} most={most} />
          {billed.credited_ms > 0 && <Row name="Given back" ms={-billed.credited_ms} most={most} />}
          <Row name={<strong>Billed</strong>} ms={billed.milliseconds} most={most} />
        </tbody>
      </table>
      <p class="credits">{billed.credits} <span class="soft">credits (×{billed.multiplier})</span></p>
      {receipt.provisional && <p class="soft small">The session goes on: its bill is about a minute behind, and more may be counted, and given back.</p>}
      {receipt.imbalances.map((wrong) => <p key={wrong} class="wrong">{sentence(wrong)}</p>)}
    </section>
  );
}

function Row({ name, ms, most, note }: { name: ComponentChildren; ms: number | null; most: number; note?: string | undefined }) {
  return (
    <tr>
      <th scope="row">{name}{note && <span class="soft small"> · {note}</span>}</th>
      <td class="number">{ms === null ? "–" : exact(ms)}</td>
      <td class="bar-cell">{ms !== null && <meter min={0} max={most} value={Math.abs(ms)} aria-hidden="true" />}</td>
    </tr>
  );
}

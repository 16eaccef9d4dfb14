import type { Schemas } from "../../../api/client";

/** What the conversation was about. */
export function Summary({ content }: { content: Schemas["SummaryContent"] }) {
  if (!content.summary) return null;
  return (
    <section class="card" aria-labelledby="summary-title">
      <h2 id="summary-title">Summary</h2>
      <p dir="auto">{content.summary}</p>
      <Points name="Key points" points={content.key_points} />
      <Points name="To do" points={content.action_items} />
    </section>
  );
}

function Points({ name, points }: { name: string; points: string[] }) {
  if (points.length === 0) return null;
  return (
    <>
      <p class="soft small">{name}</p>
      <ul>{points.map((point, at) => <li key={at} dir="auto">{point}</li>)}</ul>
    </>
  );
}

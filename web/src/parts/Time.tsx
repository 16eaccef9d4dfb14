/** A time in the reader's zone; UTC on hover. */
export function Time({ at, style = "short" }: { at: string | null | undefined; style?: "short" | "long" | "clock" }) {
  if (!at) return <span class="soft">–</span>;
  const date = new Date(at);
  return <time dateTime={at} title={`${at} (UTC)`}>{written(date, style)}</time>;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const FORMATS = {
  clock: new Intl.DateTimeFormat(undefined, CLOCK),
  long: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }),
  today: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }),
  thisYear: new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }),
  older: new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" }),
};

function written(date: Date, style: "short" | "long" | "clock"): string {
  if (style !== "short") return FORMATS[style].format(date);
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return FORMATS.today.format(date);
  return (date.getFullYear() === now.getFullYear() ? FORMATS.thisYear : FORMATS.older).format(date);
}

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Schemas } from "../../api/client";

const HEIGHT_PX = 220;
const DAY_SECONDS = 86_400;
const WEEK_SECONDS = 6 * DAY_SECONDS; // from its first day to its last

/** Credits of each day of the period. The table below says the same in words. */
export function DayChart({ report }: { report: Schemas["UsageReport"] }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const holder = place.current;
    if (!holder) return;
    const drawn = new uPlot(options(holder), values(report), holder);
    const fit = new ResizeObserver(() => drawn.setSize({ width: holder.clientWidth, height: HEIGHT_PX }));
    fit.observe(holder);
    return () => {
      fit.disconnect();
      drawn.destroy();
    };
  }, [report]);
  const most = report.groups.reduce((a, b) => (Number(b.credits) > Number(a.credits) ? b : a), report.groups[0]!);
  return (
    <figure class="card usage-chart" aria-label={`Credits per day; most on ${most.value}: ${most.credits}`}>
      <figcaption class="soft small">Credits per day</figcaption>
      <div ref={place} />
    </figure>
  );
}

/** One bar per day from the first to the last with rows, of a week at least: a date stands at midnight of UTC, whatever the zone. */
function values(report: Schemas["UsageReport"]): uPlot.AlignedData {
  const known = new Map(report.groups.map((group) => [second(group.value), Number(group.credits)]));
  const seconds = [...known.keys()];
  const latest = Math.max(...seconds);
  const month = second(`${report.groups[0]!.value?.slice(0, 7)}-01`);
  const first = Math.max(Math.min(...seconds, latest - WEEK_SECONDS), month);
  const last = Math.max(latest, first + WEEK_SECONDS);
  const days = Array.from({ length: (last - first) / DAY_SECONDS + 1 }, (_, day) => first + day * DAY_SECONDS);
  return [days, days.map((day) => known.get(day) ?? 0)];
}

function second(date: string | null): number {
  return Date.parse(`${date}T00:00:00Z`) / 1000;
}

function options(holder: HTMLElement): uPlot.Options {
  const colors = getComputedStyle(holder);
  const [soft, line, accent] = ["--soft", "--line", "--accent"].map((name) => colors.getPropertyValue(name).trim());
  const axis = { stroke: soft!, grid: { stroke: line!, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const name = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });
  return {
    width: holder.clientWidth,
    height: HEIGHT_PX,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      x: { range: (_, from, to) => [from - DAY_SECONDS / 2, to + DAY_SECONDS / 2] },
      y: { range: (_, from, to) => [Math.min(from, 0), Math.max(to, 1)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        incrs: [1, 2, 5, 7, 14, 31].map((days) => days * DAY_SECONDS),
        values: (_, ticks) => ticks.map((tick) => name.format(tick * 1000)),
      },
      { ...axis, size: 64 },
    ],
    series: [
      { label: "Day", value: (_, day) => (day === null ? "–" : name.format(day * 1000)) },
      { label: "Credits", fill: accent!, stroke: accent!, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.7, 48], radius: 0.15 }), value: (_, credits) => credits?.toFixed(3) ?? "–" },
    ],
  };
}

import { expect, test } from "vitest";
import { Heard, type Segment } from "./heard";

function segment(seq: number, start_ms: number): Segment {
  return { seq, start_ms, end_ms: start_ms + 500, text: `text ${seq}` } as Segment;
}

function said(one: Segment) {
  return { type: "live.segment", data: JSON.stringify(one) };
}

test("what comes is behind what was read, once, in the order of time", () => {
  const heard = new Heard();
  for (const one of [segment(2, 900), segment(4, 3000), segment(3, 2000), segment(4, 3000)]) heard.take(said(one));
  expect(heard.behind([segment(1, 0), segment(2, 900)]).map((one) => one.seq)).toEqual([1, 2, 3, 4]);
});

test("what was read is forgotten, what it lacks is kept", () => {
  const heard = new Heard();
  heard.take(said(segment(1, 0)));
  heard.take(said(segment(2, 900)));
  heard.read([segment(1, 0)]);
  expect(heard.segments.value.map((one) => one.seq)).toEqual([2]);
});

test("the level is the newest, until the recording is read", () => {
  const heard = new Heard();
  expect(heard.peak.value).toBeUndefined();
  heard.take({ type: "live.level", data: '{"peak_dbfs": -9.5}' });
  expect(heard.peak.value).toBe(-9.5);
  heard.take({ type: "live.level", data: '{"peak_dbfs": null}' });
  expect(heard.peak.value).toBeNull();
  heard.take({ type: "live.something", data: "{}" });
  heard.read([]);
  expect(heard.peak.value).toBeUndefined();
});

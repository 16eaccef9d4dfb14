import { expect, test } from "vitest";
import { SentEventReader } from "./sentEvents";

const STREAM = "retry: 1500\nid: evc_0\n\n:\n\nid: evc_1\nevent: session.created\ndata: {\"a\":\ndata: 1}\n\nevent: x\n\ndata: y\r\n\r\nevent: z\r\ndata: q\r\n\r\n";
const EVENTS = [
  { type: "session.created", data: '{"a":\n1}' },
  { type: "message", data: "y" },
  { type: "z", data: "q" },
];

test("a stream means the same however it is cut", () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const reader = new SentEventReader();
    const found = [];
    for (let at = 0; at < STREAM.length; at += size) found.push(...reader.take(STREAM.slice(at, at + size)));
    expect(found, `pieces of ${size}`).toEqual(EVENTS);
    expect([reader.lastId, reader.retryMs]).toEqual(["evc_1", 1500]);
  }
});

test("a place without an event is kept, and an event that is cut off is not", () => {
  const reader = new SentEventReader();
  expect(reader.take("id: evc_7\n\nid: evc_8\ndata: half")).toEqual([]);
  expect(reader.lastId).toBe("evc_7");
});

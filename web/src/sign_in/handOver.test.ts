import { expect, test } from "vitest";
import { isThisMachine, parsed } from "./handOver";

test("only names and addresses of loopback are this machine", () => {
  const loopback = ["localhost", "parley.localhost", "127.0.0.1", "127.1.2.3", "[::1]"];
  const others = ["parley.example", "localhost.example", "127.0.0.1.example", "127.example", "notlocalhost", "10.0.0.1", "[::2]", ""];
  expect(loopback.filter(isThisMachine)).toEqual(loopback);
  expect(others.filter(isThisMachine)).toEqual([]);
});

test("a LiveKit server is handed over whole or not at all", () => {
  const whole = parsed("#hand-over&key=k%26k&livekit_url=ws%3A%2F%2Fx&livekit_key=a&livekit_secret=b");
  expect(whole).toEqual({ key: "k&k", livekit: { url: "ws://x", apiKey: "a", apiSecret: "b" } });
  expect(parsed("#hand-over&livekit_url=ws%3A%2F%2Fx&livekit_key=a")).toEqual({ key: null, livekit: null });
});

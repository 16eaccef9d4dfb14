import { expect, test } from "vitest";
import { bytes, clock, exact } from "./duration";

test.each([[0, "0:00"], [-5, "0:00"], [75_999, "1:15"], [3_600_000, "1:00:00"], [36_061_000, "10:01:01"]])("%i ms on a clock is %s", (ms, text) => {
  expect(clock(ms)).toBe(text);
});

test.each([[1234, "1.234 s"], [-1, "−0.001 s"], [61_005, "1:01.005"]])("%i ms are exactly %s", (ms, text) => {
  expect(exact(ms)).toBe(text);
});

test.each([[999, "999 B"], [1500, "1.5 KB"], [123_456, "123 KB"], [5e12, "5.0 TB"]])("%i bytes are %s", (count, text) => {
  expect(bytes(count)).toBe(text);
});

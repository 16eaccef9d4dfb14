import { expect, test } from "vitest";
import { descendants, isActive } from "./family";

type Key = Parameters<typeof isActive>[0];
const key = (id: string, more: Partial<Key> = {}) => ({ id, created_by: null, revoked_at: null, expires_at: null, ...more }) as Key;

test("what a cascade takes is everything below, in whatever order keys are listed, also in a circle", () => {
  const all = [key("c", { created_by: "b" }), key("b", { created_by: "a" }), key("a", { created_by: "c" }), key("other")];
  expect(descendants(all[2]!, all).map((one) => one.id).sort()).toEqual(["b", "c"]);
});

test("a key works until it is revoked, or its time has come", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(isActive(key("a"), now)).toBe(true);
  expect(isActive(key("a", { expires_at: "2026-01-02T00:00:00Z" }), now)).toBe(false);
  expect(isActive(key("a", { expires_at: "2026-01-02T00:00:01Z" }), now)).toBe(true);
  expect(isActive(key("a", { revoked_at: "2025-01-01T00:00:00Z" }), now)).toBe(false);
});

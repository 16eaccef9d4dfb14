import { expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { whoOf } from "./who";

const one = (identity: string, heard: boolean | null, name: string | null = null) => ({ identity, name, kind: "standard", heard });
const of = (data: object[], has_more = false) => whoOf({ participants: { data, has_more } } as unknown as Schemas["SessionResource"]);

test("those who are heard are named, and the others are in the words", () => {
  expect(of([one("a", true, "Ann"), one("b", false), one("c", true)])).toEqual({
    names: ["Ann", "c"],
    more: false,
    words: "Heard: Ann, c. There, and not heard: b.",
  });
  expect(of([one("b", false)])).toMatchObject({ names: [], words: "Nobody is heard. There, and not heard: b." });
});

test("before there is a recording it is who was there", () => {
  expect(of([one("a", null, "Ann"), one("b", null)], true)).toEqual({
    names: ["Ann", "b"],
    more: true,
    words: "In the room so far: Ann, b. There were more.",
  });
});

test("what is not known is nothing", () => {
  expect(of([])).toBeNull();
  expect(whoOf({ participants: null } as Schemas["SessionResource"])).toBeNull();
});

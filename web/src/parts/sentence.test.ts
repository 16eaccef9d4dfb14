import { expect, test } from "vitest";
import { sentence } from "./sentence";

test.each([["it is gone", "It is gone."], ["Really?", "Really?"], ["the server said: no.", "The server said: no."]])("%s begins and ends", (text, whole) => {
  expect(sentence(text)).toBe(whole);
});

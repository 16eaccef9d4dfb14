import { expect, test } from "vitest";
import { mint, roomOf } from "./token";

const bytesOf = (part: string) => Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const said = (part: string) => JSON.parse(new TextDecoder().decode(bytesOf(part)));

test("a token is what LiveKit's servers verify: HS256 over head and claims", async () => {
  const token = await mint("key", "sécret", "you", { roomJoin: true, room: "talk-ä" }, 60);
  const [head, claims, signature] = token.split(".") as [string, string, string];
  const text = new TextEncoder();
  const secret = await crypto.subtle.importKey("raw", text.encode("sécret"), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  expect(await crypto.subtle.verify("HMAC", secret, bytesOf(signature), text.encode(`${head}.${claims}`))).toBe(true);
  expect(said(head)).toEqual({ alg: "HS256", typ: "JWT" });
  expect(said(claims)).toMatchObject({ iss: "key", sub: "you", video: { roomJoin: true, room: "talk-ä" } });
  expect(said(claims).exp - said(claims).nbf).toBe(70);
});

test("the room is read from a token, and nothing from what is none", async () => {
  expect(roomOf(await mint("key", "secret", "you", { roomJoin: true, room: "r" }, 60))).toBe("r");
  for (const wrong of ["", "a.b.c", "a", `a.${btoa("{}")}.c`]) expect(roomOf(wrong)).toBeNull();
});

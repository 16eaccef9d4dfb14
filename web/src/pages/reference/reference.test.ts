import { expect, test } from "vitest";
import { curlOf } from "./curl";
import { readDocument, search } from "./document";
import { limitsOf, typeOf, valuesOf } from "./typeWords";

const DOCUMENT = {
  info: { title: "P", version: "1" },
  tags: [{ name: "Rooms" }],
  paths: {
    "/rooms/{id}": {
      post: {
        operationId: "open",
        tags: ["Rooms"],
        summary: "Open a room",
        security: [{ api_key: ["rooms:write"] }],
        parameters: [{ $ref: "#/components/parameters/id" }, { name: "kind", in: "query", schema: { type: "string" } }],
        responses: { "200": { description: "Done." } },
      },
      get: { operationId: "look", tags: ["Rooms"], summary: "Look", security: [], parameters: [{ $ref: "#/components/parameters/id" }], responses: {} },
    },
  },
  components: { parameters: { id: { name: "id", in: "path", required: true, schema: { type: "string" }, example: "a b" } } },
};

const reference = readDocument(DOCUMENT);
const [look, open] = reference.operations;

test("operations are read with what they refer to, and who may ask", () => {
  expect(reference.operations.map((one) => [one.method, one.operationId, one.scopes])).toEqual([
    ["GET", "look", null],
    ["POST", "open", ["rooms:write"]],
  ]);
  expect(open!.parameters[0]!.example).toBe("a b");
});

test("a search needs every word, wherever it stands", () => {
  expect(search(reference.operations, " ROOM open ")).toEqual([open]);
  expect(search(reference.operations, "kind")).toEqual([open]);
  expect(search(reference.operations, "open nothing")).toEqual([]);
  expect(search(reference.operations, "")).toHaveLength(2);
});

test("a command is quoted as a shell takes it", () => {
  expect(curlOf(look!, "http://h", undefined)).toBe('curl "http://h/rooms/a%20b"');
  expect(curlOf(open!, "http://h", { it: "it's" })).toBe(
    `curl -X POST "http://h/rooms/a%20b" \\\n  -H "Authorization: Bearer $PARLEY_KEY" \\\n  -H 'Content-Type: application/json' \\\n  -d '{\n  "it": "it'\\''s"\n}'`,
  );
});

test("a schema is said in words", () => {
  const { resolve } = reference;
  const maybe = { anyOf: [{ type: "integer", minimum: 1, maximum: 600 }, { type: "null" }] };
  expect(typeOf(maybe, resolve)).toBe("integer or null");
  expect(limitsOf(maybe)).toEqual(["1 to 600"]);
  expect(limitsOf({ type: "string", minLength: 1, maxLength: 500, default: "x" })).toEqual(["at most 500 characters", 'default "x"']);
  expect(typeOf({ type: "array", items: { $ref: "#/components/schemas/Room" } }, resolve)).toBe("list of Room");
  expect(valuesOf({ type: "array", items: { enum: ["a", 1] } })).toEqual(["a", "1"]);
});
